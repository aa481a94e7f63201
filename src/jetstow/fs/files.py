"""Files as fsspec's users open them: blocking, buffered, seekable where they are read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from fsspec.asyn import sync
from fsspec.spec import AbstractBufferedFile

from jetstow.fs import readahead
from jetstow.fs.paths import Entry, file_entry

if TYPE_CHECKING:
    import jetstow
    from jetstow.fs.filesystem import JetstowFileSystem

# The most that is read ahead, and what is gathered before it is sent, in bytes. With more, reading
# a file from its beginning to its end takes no less time; with 1 MiB it takes a quarter more.
BLOCK: Final = 4 * 1024 * 1024


class ReadFile(AbstractBufferedFile):
    """An object opened for reading, at the revision that it had then."""

    def __init__(
        self, fs: JetstowFileSystem, path: str, reader: jetstow.ObjectReader, **options: Any
    ) -> None:
        self._reader = reader
        # A file that was pickled says how large the one was that it stands for.
        options.pop("size", None)
        options.setdefault("cache_type", readahead.AheadCache.name)
        self._details: Entry = file_entry(reader.info, path)
        super().__init__(fs, path, "rb", size=self._details["size"], **options)

    def _fetch_range(self, start: int, end: int) -> bytes:
        data: bytes = sync(self.fs.loop, self._reader.read_at, start, max(0, end - start))
        return data


class WriteFile(AbstractBufferedFile):
    """An object being written, which exists once the file is closed, and otherwise never.

    In a transaction it exists once that is over.
    """

    def __init__(
        self, fs: JetstowFileSystem, path: str, mode: str, writer_options: dict[str, Any],
        **options: Any,
    ) -> None:  # fmt: skip
        self._writer: jetstow.ObjectWriter | None = None
        self._writer_options = writer_options
        self._given_up = False
        super().__init__(fs, path, mode, **options)
        if mode == "xb":
            # Who asks for a new file wants to hear at once that there is one.
            self.offset = 0
            self._initiate_upload()

    def _initiate_upload(self) -> None:
        self._writer = sync(
            self.fs.loop, self.fs.begin_write, self.path, self.mode, **self._writer_options
        )

    def _upload_chunk(self, final: bool = False) -> bool:
        assert self._writer is not None, "an upload begins before its first chunk"
        try:
            sync(self.fs.loop, self._writer.write, self.buffer.getvalue())
            if final and self.autocommit:
                self._finish()
        except BaseException:
            self.discard()
            raise
        return True

    def commit(self) -> None:
        """Let the object exist: the transaction that it belongs to is over."""
        if not self._given_up:
            self.close()
            self._finish()

    def discard(self) -> None:
        """Leave nothing of it."""
        self._given_up = self.closed = True
        self.buffer = io.BytesIO()
        writer, self._writer = self._writer, None
        if writer is not None:
            sync(self.fs.loop, writer.abort)

    def _finish(self) -> None:
        writer, self._writer = self._writer, None
        assert writer is not None, "what was not begun cannot be finished"
        sync(self.fs.loop, self.fs.end_write, writer)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def forget(self) -> None:
        """The same, a little later: for the garbage collector, which cannot wait."""
        self._given_up = self.closed = True
        writer, self._writer = getattr(self, "_writer", None), None
        if writer is not None:
            self.fs.let_go(writer.abort)

    def __del__(self) -> None:
        # Nobody has closed it: it is not finished, whatever it has.
        self.forget()
