"""An index of a bucket, with blocking calls."""

from __future__ import annotations

import os
from typing import Self

import jetstow
from jetstow import DeletedPage, IndexEntry, IndexPage, VersionPage
from jetstow.sync._call import close_and_wait, run
from jetstow.sync._iterate import check_process
from jetstow.sync._portal import close_soon, get_portal, keep_inherited


class BucketIndex:
    """The names of a bucket in order, for listings page by page; a context manager.

    A page has every object whose write was acknowledged before the call, by any client, and no
    object that has expired. Several threads may request pages at the same time.
    """

    def __init__(self, owner: object, index: jetstow.BucketIndex) -> None:
        self._owner = owner  # keeps the connection open
        self._index = index
        self._pid = os.getpid()
        get_portal().register_file(index, index.close)

    def page(
        self, prefix: str = "", *, after: str = "", delimiter: str = "", limit: int = 1_000
    ) -> IndexPage:
        """Return a page, with the options and errors of `jetstow.BucketIndex.page`."""
        check_process(self._pid, f"the index of {self._owner!r}")
        return run(self._index.page, prefix, after=after, delimiter=delimiter, limit=limit)

    def changes(self, revision: int) -> dict[str, IndexEntry | None] | None:
        """Return the objects that changed after a revision, as `jetstow.BucketIndex.changes`."""
        check_process(self._pid, f"the index of {self._owner!r}")
        return run(self._index.changes, revision)

    def versions(
        self,
        prefix: str = "",
        *,
        after: str = "",
        after_version: str | None = None,
        delimiter: str = "",
        limit: int = 1_000,
    ) -> VersionPage:
        """Return a page of versions, with the options of `jetstow.BucketIndex.versions`."""
        check_process(self._pid, f"the index of {self._owner!r}")
        return run(
            self._index.versions, prefix, after=after, after_version=after_version,
            delimiter=delimiter, limit=limit,
        )  # fmt: skip

    def deleted(self, prefix: str = "", *, after: str = "", limit: int = 1_000) -> DeletedPage:
        """Return a page of deleted objects, as `jetstow.BucketIndex.deleted`."""
        check_process(self._pid, f"the index of {self._owner!r}")
        return run(self._index.deleted, prefix, after=after, limit=limit)

    def close(self) -> None:
        """Stop watching the bucket, and free the memory."""
        check_process(self._pid, f"the index of {self._owner!r}")
        close_and_wait(self._index, self._index.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not hasattr(self, "_pid"):
            return
        if self._pid == os.getpid():
            close_soon(self._index, self._index.close)
        else:
            keep_inherited(self._index)
