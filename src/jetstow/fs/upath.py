"""`UPath("jetstow://bucket/name")`, without warnings, for programs that use universal_pathlib."""

from __future__ import annotations

from upath import UPath


class JetstowPath(UPath):
    """A path in the object store. `UPath` finds it by an entry point."""

    __slots__ = ()

    def mkdir(
        self,
        mode: int = 0o777,  # noqa: ARG002 - users have their rights on the server
        parents: bool = False,
        exist_ok: bool = False,
    ) -> None:
        """Make a bucket; a folder in one is there as soon as something is in it.

        Raises `FileExistsError` for what is there, and `FileNotFoundError` for a folder in a
        bucket that is not, unless `parents` are to be made.
        """
        if self.exists():
            if not exist_ok or not self.is_dir():
                raise FileExistsError(str(self))
            return
        self.fs.mkdir(self.path, create_parents=parents)
