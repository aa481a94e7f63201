"""Notes of file uploads under way: what a later process needs to go on with one.

They lie in the user's own state folder, or in `JETSTOW_HOME`, one small file an upload. The
chunks are in the bucket; without its note an upload is garbage there, and collected as such.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Self

import msgspec
import platformdirs

from jetstow._core.bucket.stream import Stream


class _Noted(msgspec.Struct):
    nuid: str
    chunk_size: int
    size: int
    changed: int


class Checkpoint:
    """The note of one file on its way to one name in one bucket.

    Of a file that has changed since, or that is to be cut in another way, it knows nothing.
    """

    def __init__(self, path: Path, file: os.stat_result, chunk_size: int) -> None:
        self._path = path
        self._file = file
        self._chunk_size = chunk_size

    @classmethod
    async def of(
        cls, stream: Stream, name: str, source: Path, file: os.stat_result, chunk_size: int
    ) -> Self:
        """The note about `source`, which may not be written yet."""
        # A bucket that was made anew, or another server's, has been created at another time.
        created = (await stream.info())["created"]
        return cls(_place(str(created), stream.bucket, name, source), file, chunk_size)

    def read(self) -> str | None:
        """The NUID under which the file's first chunks lie, if it is known."""
        try:
            noted = msgspec.json.decode(self._path.read_bytes(), type=_Noted)
        except (OSError, ValueError, RecursionError):
            return None
        fits = noted == self._noted(noted.nuid) and noted.nuid.isalnum()
        return noted.nuid if fits else None

    def write(self, nuid: str) -> None:
        """From now on the file's chunks lie under that NUID."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._path.with_suffix(f".{os.getpid()}")
        beside.write_bytes(msgspec.json.encode(self._noted(nuid)))
        beside.replace(self._path)

    def remove(self) -> None:
        """There is nothing to go on with."""
        self._path.unlink(missing_ok=True)

    def _noted(self, nuid: str) -> _Noted:
        return _Noted(nuid, self._chunk_size, self._file.st_size, self._file.st_mtime_ns)


def _place(created: str, bucket: str, name: str, source: Path) -> Path:
    home = os.environ.get("JETSTOW_HOME") or platformdirs.user_state_dir("jetstow", appauthor=False)
    key = "\0".join((created, bucket, name, os.path.realpath(source)))
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return Path(home) / "uploads" / f"{digest[:40]}.json"
