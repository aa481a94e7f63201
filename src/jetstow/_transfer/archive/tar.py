"""A tar reader and writer with bounded memory, safe for untrusted archives.

The module uses `tarfile` for single headers only. Its reader would read a header of any length
into memory, follow chains of headers, and keep every entry.
"""

from __future__ import annotations

import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final

from jetstow._core.aio.worker import BLOCK_SIZE
from jetstow._transfer.archive.manifest import MAX_JSON_SIZE
from jetstow.errors import BadArchiveError

# All sizes are in bytes. The unit of tar is a record of 512 bytes.
_RECORD_SIZE: Final = 512

# Tar programs pad an archive with zeros, usually to a multiple of 10 KiB.
_MAX_FINAL_PADDING: Final = 1024 * 1024

# A pax header has the JSON in its comment, and a path and a size.
_MAX_PAX_SIZE: Final = MAX_JSON_SIZE + 64 * 1024

_REGULAR_FILE_TYPES: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)

END_OF_ARCHIVE: Final = bytes(2 * _RECORD_SIZE)


def file_header(path: str, size: int, modified: float = 0, comment: bytes = b"") -> bytes:
    """Return the header of a regular file. `modified` is a Unix timestamp in seconds."""
    entry = tarfile.TarInfo(path)
    entry.size, entry.mtime = size, max(0, int(modified))
    if comment:
        entry.pax_headers = {"comment": comment.decode()}
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """Return the zeros that follow the data of a file of `size` bytes."""
    return bytes(-size % _RECORD_SIZE)


@dataclass(frozen=True)
class Member:
    """A file of an archive: its path, size in bytes, and pax comment."""

    path: str
    size: int
    comment: bytes


class TarReader:
    """Reads the regular files of an archive in order. Read each member's data before the next.

    All methods raise `BadArchiveError` if the archive is damaged, truncated or not a tar file.
    """

    def __init__(self, blocks: AsyncIterator[bytes]) -> None:
        self._blocks = blocks
        self._unread = memoryview(b"")
        self._has_header = False

    async def next_member(self) -> Member | None:
        """Return the next file; None at the end of the archive."""
        records: dict[bytes, bytes] = {}
        entry = await self._read_header()
        if entry is not None and entry.type == tarfile.XHDTYPE:
            if not 0 <= entry.size <= _MAX_PAX_SIZE:
                raise BadArchiveError(f"the archive has a pax header of {entry.size} bytes")
            records = dict(_parse_pax_records(await self._read_exactly(entry.size)))
            await self._read_exactly(-entry.size % _RECORD_SIZE)
            if (entry := await self._read_header()) is None:
                raise BadArchiveError("the archive ends after a pax header")
        if entry is None:
            await self._check_end()
            return None
        if entry.type not in _REGULAR_FILE_TYPES:
            raise BadArchiveError(
                f"the archive has an entry that is not a regular file: {entry.name!r} "
                f"(type {entry.type.decode('ascii', 'backslashreplace')!r})"
            )
        size = entry.size if b"size" not in records else _parse_number(records[b"size"])
        if not 0 <= size < 2**63:
            raise BadArchiveError(f"the archive has a file with the impossible size {size}")
        path = records.get(b"path", b"").decode("utf-8", "replace") or entry.name
        return Member(path, size, records.get(b"comment", b""))

    async def blocks(self, member: Member) -> AsyncGenerator[bytes, None]:
        """Yield the data of the current file in blocks of up to 1 MiB."""
        remaining = member.size
        while remaining:
            block = await self._read_some(min(remaining, BLOCK_SIZE))
            remaining -= len(block)
            yield bytes(block)
        await self._read_exactly(-member.size % _RECORD_SIZE)

    async def read_all(self, member: Member, max_size: int) -> bytes:
        """Return the data of the current file, which may have at most `max_size` bytes."""
        if member.size > max_size:
            raise BadArchiveError(
                f"{member.path!r} in the archive has {member.size} bytes: at most {max_size}"
            )
        return b"".join([block async for block in self.blocks(member)])

    async def _read_header(self) -> tarfile.TarInfo | None:
        record = await self._read_exactly(_RECORD_SIZE)
        if not any(record):
            return None
        try:
            entry = tarfile.TarInfo.frombuf(record, "utf-8", "backslashreplace")
        except (tarfile.HeaderError, ValueError) as error:
            if self._has_header:
                raise BadArchiveError(f"the archive has a damaged header: {error}") from None
            raise BadArchiveError("the archive is not a tar file") from None
        self._has_header = True
        return entry

    async def _check_end(self) -> None:
        """Read to the end, where only zeros may follow; gzip checks its checksum there."""
        size = 0
        while block := await self._next_block():
            size += len(block)
            if size > _MAX_FINAL_PADDING or any(block):
                raise BadArchiveError("the archive has data after its end")

    async def _read_exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            data += await self._read_some(size - len(data))
        return bytes(data)

    async def _read_some(self, max_size: int) -> memoryview:
        """Return between 1 and `max_size` bytes."""
        block = await self._next_block()
        if not block:
            raise BadArchiveError("the archive is truncated: its end is missing")
        self._unread = block[max_size:]
        return block[:max_size]

    async def _next_block(self) -> memoryview:
        """Return the unread bytes or the next block; empty at the end of the input."""
        block, self._unread = self._unread, memoryview(b"")
        while not block:
            try:
                block = memoryview(await anext(self._blocks))
            except StopAsyncIteration:
                break
        return block


def _parse_pax_records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    r"""Yield the keys and values of pax records: `<length> <key>=<value>\n`."""
    remaining = memoryview(data)
    while remaining:
        digits, space, _ = bytes(remaining[:20]).partition(b" ")
        length = _parse_number(digits)
        record = bytes(remaining[len(digits) + 1 : length])
        key, equals, value = record[:-1].partition(b"=")
        if not space or not equals or length > len(remaining) or not record.endswith(b"\n"):
            raise BadArchiveError("the archive has a damaged pax header")
        yield key, value
        remaining = remaining[length:]


def _parse_number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise BadArchiveError("the archive has a damaged pax header")
    return int(digits)


__all__ = ["END_OF_ARCHIVE", "Member", "TarReader", "file_header", "padding"]
