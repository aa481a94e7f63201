"""`UPath("jetstow://bucket/name")` for programs that use universal_pathlib."""

from __future__ import annotations

import fsspec
from upath import UPath

# universal_pathlib takes the rules of paths from file systems that are loaded. Without this, it
# cuts off the first letter of the names that `rglob` returns (0.3.10).
fsspec.get_filesystem_class("jetstow")


class JetstowPath(UPath):
    """A path in the object store.

    universal_pathlib finds this class by an entry point; without it, `UPath` warns.
    """

    __slots__ = ()

    def mkdir(
        self,
        mode: int = 0o777,  # noqa: ARG002 - permissions belong to users of the NATS server
        parents: bool = False,
        exist_ok: bool = False,
    ) -> None:
        """Create a bucket, or a folder in a bucket.

        Raises: `FileExistsError` (the path exists), `FileNotFoundError` (the path is a folder in
        a missing bucket, and not `parents`), `NotADirectoryError` (a parent is a file).
        """
        if self.exists():
            if not exist_ok or not self.is_dir():
                raise FileExistsError(str(self))
            return
        self.fs.mkdir(self.path, create_parents=parents)
