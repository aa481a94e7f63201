"""Tar, block by block: entries out, and entries in from archives that nobody trusts.

`tarfile` knows the format of a header, and is asked for that. It would read a header of any
length into memory, follow chains of them, and hold on to each entry; here nothing grows.
"""

from __future__ import annotations

import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final

from jetstow._transfer.archive.manifest import MOST_JSON
from jetstow.errors import BadArchiveError

_BLOCK: Final = 512
_PIECE: Final = 1024 * 1024

# Tools fill an archive up to a whole record, mostly 10 KiB, with zeros.
_MOST_FILLING: Final = 1024 * 1024

# Beside the JSON, a pax header tells a path and a size.
_MOST_PAX: Final = MOST_JSON + 64 * 1024

_FILES: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)

END: Final = bytes(2 * _BLOCK)


def header(path: str, size: int, modified: float = 0, comment: bytes = b"") -> bytes:
    """The header of an ordinary file."""
    entry = tarfile.TarInfo(path)
    entry.size, entry.mtime = size, max(0, int(modified))
    if comment:
        entry.pax_headers = {"comment": comment.decode()}
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def filling(size: int) -> bytes:
    """The zeros that follow the bytes of a file, up to a whole block."""
    return bytes(-size % _BLOCK)


@dataclass(frozen=True)
class Member:
    """A file of the archive: its bytes are what `Tar.data` gives next."""

    path: str
    size: int
    comment: bytes


class Tar:
    """An archive as it arrives. Raises `BadArchiveError` for all that is not as it should be."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self._begun = False

    async def next(self) -> Member | None:
        """The next file, once the bytes of the one before are read; None at the end."""
        records: dict[bytes, bytes] = {}
        entry = await self._header()
        if entry is not None and entry.type == tarfile.XHDTYPE:
            if not 0 <= entry.size <= _MOST_PAX:
                raise BadArchiveError(f"the archive has a header of {entry.size} bytes")
            records = dict(_records(await self._exactly(entry.size)))
            await self._exactly(-entry.size % _BLOCK)
            if (entry := await self._header()) is None:
                raise BadArchiveError("the archive ends after a header")
        if entry is None:
            await self._ending()
            return None
        if entry.type not in _FILES:
            raise BadArchiveError(
                f"the archive holds something else than files: {entry.name!r} "
                f"(type {entry.type.decode('ascii', 'backslashreplace')!r})"
            )
        size = entry.size if b"size" not in records else _number(records[b"size"])
        if not 0 <= size < 2**63:
            raise BadArchiveError(f"the archive has a file of {size} bytes")
        path = records.get(b"path", b"").decode("utf-8", "replace") or entry.name
        return Member(path, size, records.get(b"comment", b""))

    async def data(self, member: Member) -> AsyncGenerator[bytes, None]:
        """The bytes of the file, to be read to their end before the next one."""
        left = member.size
        while left:
            piece = await self._some(min(left, _PIECE))
            left -= len(piece)
            yield bytes(piece)
        await self._exactly(-member.size % _BLOCK)

    async def whole(self, member: Member, most: int) -> bytes:
        """All bytes of a file, which may not be more than `most`."""
        if member.size > most:
            raise BadArchiveError(f"{member.path!r} in the archive has {member.size} bytes")
        return b"".join([piece async for piece in self.data(member)])

    async def _header(self) -> tarfile.TarInfo | None:
        block = await self._exactly(_BLOCK)
        if not any(block):
            return None
        try:
            entry = tarfile.TarInfo.frombuf(block, "utf-8", "backslashreplace")
        except (tarfile.HeaderError, ValueError) as error:
            what = f"has a header that cannot be read ({error})" if self._begun else "is no tar"
            raise BadArchiveError(f"the archive {what}") from None
        self._begun = True
        return entry

    async def _ending(self) -> None:
        """Nothing but zeros may follow. Where it is compressed, its checksum comes last."""
        seen = 0
        while piece := await self._more():
            seen += len(piece)
            if seen > _MOST_FILLING or any(piece):
                raise BadArchiveError("something follows the end of the archive")

    async def _exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            found += await self._some(size - len(found))
        return bytes(found)

    async def _some(self, most: int) -> memoryview:
        """From one byte to so many."""
        piece = await self._more()
        if not piece:
            raise BadArchiveError("the archive is truncated: its end is missing")
        self._rest = piece[most:]
        return piece[:most]

    async def _more(self) -> memoryview:
        piece, self._rest = self._rest, memoryview(b"")
        while not piece:
            try:
                piece = memoryview(await anext(self._pieces))
            except StopAsyncIteration:
                break
        return piece


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """`length key=value` and a line break, one after another."""
    rest = memoryview(data)
    while rest:
        length, space, _ = bytes(rest[:20]).partition(b" ")
        end = _number(length)
        record = bytes(rest[len(length) + 1 : end])
        key, equals, value = record[:-1].partition(b"=")
        if not space or not equals or end > len(rest) or not record.endswith(b"\n"):
            raise BadArchiveError("the archive has a pax header that cannot be read")
        yield key, value
        rest = rest[end:]


def _number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise BadArchiveError("the archive has a pax header that cannot be read")
    return int(digits)


__all__ = ["END", "Member", "Tar", "filling", "header"]
