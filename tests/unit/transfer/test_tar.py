"""The tar reader and writer: compatible with `tarfile`, and safe for damaged archives."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncGenerator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._transfer.archive import tar
from jetstow._transfer.archive.tar import TarReader
from jetstow.errors import BadArchiveError

Members = list[tuple[str, bytes, bytes]]


async def blocks_of(data: bytes, size: int) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data: bytes, size: int = 700) -> Members:
    """Return the path, comment and data of each member."""
    members: Members = []
    archive = TarReader(blocks_of(data, size))
    while (member := await archive.next_member()) is not None:
        blocks = [block async for block in archive.blocks(member)]
        members.append((member.path, member.comment, b"".join(blocks)))
    return members


def file(path: str, data: bytes, comment: bytes = b"") -> bytes:
    return tar.file_header(path, len(data), 1_700_000_000, comment) + data + tar.padding(len(data))


ARCHIVE = file("a", b"1" * 700, b"a comment") + file("ü/" + "x" * 150, b"") + tar.END_OF_ARCHIVE


def test_tarfile_reads_written_archive() -> None:
    with tarfile.open(fileobj=io.BytesIO(ARCHIVE)) as archive:
        first, second = archive
        assert (first.name, first.size, first.mtime) == ("a", 700, 1_700_000_000)
        assert first.pax_headers == {"comment": "a comment"}
        assert second.name == "ü/" + "x" * 150
        opened = archive.extractfile(first)
        assert opened is not None
        assert opened.read() == b"1" * 700


@pytest.mark.parametrize("size", [1, 511, 512, 513, 100_000])
async def test_round_trip(size: int) -> None:
    members = [("a", b"a comment", b"1" * 700), ("ü/" + "x" * 150, b"", b"")]
    assert await read(ARCHIVE, size) == members
    assert await read(ARCHIVE + bytes(20_000), size) == members


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
async def test_archive_written_by_tarfile(kind: int) -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=kind) as archive:
        archive.addfile(entry := tarfile.TarInfo("a"), io.BytesIO(b"xyz"))
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"xyz"))
    assert [data for _, _, data in await read(output.getvalue())] == [b"", b"xyz"]


async def test_size_beyond_the_octal_field() -> None:
    size = 9 * 1024**3
    member = await TarReader(blocks_of(tar.file_header("a", size), 512)).next_member()
    assert member is not None
    assert member.size == size


@pytest.mark.parametrize("length", [1, 511, 512, 700, 1024, 1025, len(ARCHIVE) - 1024])
async def test_truncated_archive(length: int) -> None:
    with pytest.raises(BadArchiveError, match="truncated"):
        await read(ARCHIVE[:length])


def entry_of_type(kind: bytes) -> bytes:
    entry = tarfile.TarInfo("x")
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry.tobuf(tarfile.USTAR_FORMAT)


def pax(records: bytes, size: int | None = None) -> bytes:
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, len(records) if size is None else size
    return entry.tobuf(tarfile.GNU_FORMAT) + records + tar.padding(len(records))


EMPTY_FILE = file("a", b"")
NOT_REGULAR = "entry that is not a regular file"
BAD_PAX = "damaged pax header"
AFTER_END = "data after its end"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "truncated", id="empty"),
        pytest.param(b"x" * 5000, "is not a tar file", id="text"),
        pytest.param(EMPTY_FILE + b"x" * 5000, "a damaged header", id="text after a file"),
        pytest.param(entry_of_type(tarfile.SYMTYPE), NOT_REGULAR, id="symbolic link"),
        pytest.param(entry_of_type(tarfile.LNKTYPE), NOT_REGULAR, id="hard link"),
        pytest.param(entry_of_type(tarfile.CHRTYPE), NOT_REGULAR, id="device"),
        pytest.param(entry_of_type(tarfile.DIRTYPE), NOT_REGULAR, id="folder"),
        pytest.param(entry_of_type(tarfile.GNUTYPE_SPARSE), NOT_REGULAR, id="sparse file"),
        pytest.param(entry_of_type(tarfile.GNUTYPE_LONGNAME), NOT_REGULAR, id="GNU long name"),
        pytest.param(pax(b"", 2**40), "pax header of 1099511627776 bytes", id="huge pax header"),
        pytest.param(pax(b"", -1), "pax header of -1 bytes", id="negative pax header"),
        pytest.param(pax(b"") + pax(b"") + EMPTY_FILE, NOT_REGULAR, id="two pax headers"),
        pytest.param(pax(b"") + tar.END_OF_ARCHIVE, "ends after a pax header", id="pax at the end"),
        pytest.param(pax(b"11 size=-1\n") + EMPTY_FILE, BAD_PAX, id="negative size"),
        pytest.param(
            pax(b"29 size=%d\n" % (10**20 - 1)) + EMPTY_FILE, "impossible size 9999", id="huge size"
        ),
        pytest.param(pax(b"99 a=b\n") + EMPTY_FILE, BAD_PAX, id="record beyond its header"),
        pytest.param(pax(b"0 a=b\n") + EMPTY_FILE, BAD_PAX, id="record of length 0"),
        pytest.param(pax(b"x a=b\n") + EMPTY_FILE, BAD_PAX, id="length that is not a number"),
        pytest.param(pax(b"6 ab=\n" * 2 + b"2 ") + EMPTY_FILE, BAD_PAX, id="half a record"),
        pytest.param(pax("9 a=b²\n".encode()) + EMPTY_FILE, BAD_PAX, id="wrong length"),
        pytest.param(ARCHIVE + b"x", AFTER_END, id="data after the end"),
        pytest.param(ARCHIVE + bytes(2**21), AFTER_END, id="too many zeros at the end"),
    ],
)
async def test_damaged_or_foreign_archive(data: bytes, problem: str) -> None:
    with pytest.raises(BadArchiveError, match=problem):
        await read(data)


@given(st.binary(max_size=2000), st.integers(0, len(ARCHIVE)))
async def test_random_damage(noise: bytes, position: int) -> None:
    damaged = ARCHIVE[:position] + noise + ARCHIVE[position + len(noise) :]
    with suppress(BadArchiveError):
        await read(damaged)
