"""A bucket, and the ways to look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import jetstow
from jetstow.errors import InvalidOptionError
from jetstow.sync.call import run
from jetstow.sync.likeness import like

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from jetstow.sync.context import JetStreamContext


class BucketBase:
    """What every part of a blocking store has: the asynchronous one of this process."""

    def __init__(
        self,
        js: JetStreamContext,
        bucket: str,
        store: jetstow.ObjectStore | None = None,
        *,
        key: bytes | None = None,
        as_stored: bool = False,
    ) -> None:
        self._context = js
        self._bucket = bucket
        self._key = key
        self._as_stored = as_stored
        self._of = None if store is None else js.here()
        self._store = store

    def here(self) -> jetstow.ObjectStore:
        """The asynchronous store of this process; opened anew where it came from another."""
        js = self._context.here()
        if self._store is None or self._of is not js:
            store = run(js.object_store, self._bucket)
            if self._key is not None:
                store = store.encrypted(self._key)
            self._store, self._of = store.as_stored() if self._as_stored else store, js
        return self._store

    def __repr__(self) -> str:
        how = "" if self._key is None else " encrypted"
        how = " as stored" if self._as_stored else how
        return f"<jetstow.sync.ObjectStore {self.bucket!r}{how}>"

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    @like(jetstow.ObjectStore.encrypted)
    def encrypted(self, key: Buffer) -> Self:
        store = self.here().encrypted(key)
        return type(self)(self._context, self._bucket, store, key=bytes(key))

    @like(jetstow.ObjectStore.as_stored)
    def as_stored(self) -> Self:
        store = self.here().as_stored()
        return type(self)(self._context, self._bucket, store, as_stored=True)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._key is not None:
            raise InvalidOptionError(
                f"bucket {self._bucket!r} is seen with a key, which no pickle carries: pickle "
                "the bucket without it, and call encrypted(key) where it is used",
                bucket=self._bucket,
            )
        return _unpickled, (type(self), self._context, self._bucket, self._as_stored)


def _unpickled(
    cls: type[BucketBase], context: JetStreamContext, bucket: str, as_stored: bool
) -> BucketBase:
    return cls(context, bucket, as_stored=as_stored)
