"""Checkpoints of resumable puts: what a later process needs to continue one.

A checkpoint is a small file in the user's state folder, or in `JETSTOW_HOME`. The chunks are in the
bucket; without a checkpoint they are garbage, which `collect_garbage` removes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec
import platformdirs

from jetstow._core.aio.atomic_file import report_disk_errors
from jetstow._core.aio.locked_file import close_for_rename, locked_file
from jetstow._core.bucket.stream import Stream


class _Content(msgspec.Struct):
    nuid: str
    chunk_size: int
    size: int
    changed: int


class Checkpoint:
    """The checkpoint of putting one file under one name of one bucket.

    It is valid only for the same size, modification time and chunk size of the file.
    """

    def __init__(self, path: Path, file: os.stat_result, chunk_size: int) -> None:
        self.path = path
        self._file = file
        self._chunk_size = chunk_size

    @classmethod
    async def open(
        cls, stream: Stream, name: str, source: Path, file: os.stat_result, chunk_size: int
    ) -> Self:
        """Return the checkpoint for the file `source`. It may not exist yet."""
        # The creation time distinguishes a recreated bucket, and a bucket of another server.
        created = (await stream.info())["created"]
        return cls(_path(str(created), stream.bucket, name, source), file, chunk_size)

    def read(self) -> str | None:
        """Return the NUID of the chunks stored so far, or None without a valid checkpoint."""
        try:
            content = msgspec.json.decode(self.path.read_bytes(), type=_Content)
        except (OSError, ValueError, RecursionError):
            return None
        valid = content == self._content(content.nuid) and content.nuid.isalnum()
        return content.nuid if valid else None

    def write(self, nuid: str) -> None:
        """Record that the file's chunks are stored under a NUID."""
        temporary = self.path.with_suffix(f".{os.getpid()}")
        try:
            with report_disk_errors(self.path):
                temporary.write_bytes(msgspec.json.encode(self._content(nuid)))
            temporary.replace(self.path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    @contextmanager
    def locked(self, in_use: str) -> Iterator[None]:
        """Let no other put use the checkpoint, in this and other processes.

        If one of two puts that share chunks failed, it would purge those of the other.

        Raises: `BlockingIOError` with the message `in_use`, and other `OSError`s.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self.path.with_suffix(".lock")
        with locked_file(lock, in_use) as file:
            try:
                yield
            finally:
                close_for_rename(file)
                lock.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the checkpoint. It may not exist."""
        self.path.unlink(missing_ok=True)

    def _content(self, nuid: str) -> _Content:
        return _Content(nuid, self._chunk_size, self._file.st_size, self._file.st_mtime_ns)


def _path(created: str, bucket: str, name: str, source: Path) -> Path:
    home = os.environ.get("JETSTOW_HOME") or platformdirs.user_state_dir("jetstow", appauthor=False)
    key = "\0".join((created, bucket, name, os.path.realpath(source)))
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return Path(home) / "uploads" / f"{digest[:40]}.json"
