"""Files that compress or encode what is written to them, and discard it after an exception.

Python's own wrappers (`gzip.GzipFile`, `io.TextIOWrapper`) close the wrapped file on exit, also
after an exception. Closing commits the object, so an incomplete object would be stored.
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fsspec.compression import compr

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from jetstow.fs.files import WriteFile


class CompressedFile(io.RawIOBase):
    """A writable file that compresses into a `WriteFile` and closes it with itself."""

    def __init__(self, file: WriteFile, compression: str) -> None:
        super().__init__()
        self._file = file
        self._position = self._start = file.tell()
        self._compressor = compr[compression](file, mode="w")

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return whether nothing was written yet: see `WriteFile.seekable`."""
        return self._position == self._start and not self.closed

    def tell(self) -> int:
        """Return how many bytes were written, before compression, after those that exist."""
        return self._position

    def write(self, data: Buffer, /) -> int:
        """Compress all of `data` and return its length in bytes."""
        self._compressor.write(data)
        size = memoryview(data).nbytes
        self._position += size
        return size

    def close(self) -> None:
        """Flush the compressor and commit the object."""
        if not self.closed:
            super().close()
            self._compressor.close()
            self._file.close()

    def discard(self) -> None:
        """Close the file without storing an object."""
        super().close()
        self._file.discard()
        with suppress(ValueError):
            self._compressor.close()  # it flushes to the file, which is already closed

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def discard_soon(self) -> None:
        """Schedule `discard`: a finalizer must not block."""
        with suppress(Exception):
            if not self.closed:
                super().close()
                self._file.discard_soon()
                self._compressor.close()

    def __del__(self) -> None:
        self.discard_soon()  # the file was never closed, so its data is incomplete


class TextFile(io.TextIOWrapper):
    """A text file: closing it commits the object.

    After an exception, or if the file is never closed, nothing is stored.
    """

    def __init__(self, file: WriteFile | CompressedFile, **options: Any) -> None:
        super().__init__(file, **options)  # type: ignore[arg-type]
        self._binary_file = file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._binary_file.discard()

    def __del__(self) -> None:
        # Python's own finalizer closes the file, which would store an incomplete object.
        with suppress(Exception):
            if not self.closed:
                self._binary_file.discard_soon()
