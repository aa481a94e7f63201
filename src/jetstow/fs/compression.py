"""Files for text and for compressed bytes, which are given up as a whole where writing fails.

What Python wraps around a file closes it, or leaves it open, whatever has happened.
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fsspec.compression import compr

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from jetstow.fs.files import WriteFile


class PackedFile(io.RawIOBase):
    """What is written is compressed; closing it closes the file below."""

    def __init__(self, file: WriteFile, compression: str) -> None:
        super().__init__()
        self._file = file
        self._packer = compr[compression](file, mode="w")

    def writable(self) -> bool:
        """It is for nothing else."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Compress it; all of it is taken."""
        self._packer.write(data)
        return memoryview(data).nbytes

    def close(self) -> None:
        """Let the object exist."""
        if not self.closed:
            super().close()
            self._packer.close()
            self._file.close()

    def discard(self) -> None:
        """Leave nothing of it."""
        super().close()
        self._file.discard()
        with suppress(ValueError):
            self._packer.close()  # it has more to write, to a file that is closed

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        # Nobody has closed it, so it is not finished.
        with suppress(Exception):
            if not self.closed:
                super().close()
                self._file.forget()
                self._packer.close()


class TextFile(io.TextIOWrapper):
    """Text, which exists once the file is closed, and not at all after an exception."""

    def __init__(self, file: WriteFile | PackedFile, **options: Any) -> None:
        super().__init__(file, **options)  # type: ignore[arg-type]
        self._below = file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._below.discard()
