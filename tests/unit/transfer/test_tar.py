"""Tar in and out: as `tarfile` has it, and whatever else somebody may hand over."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import AsyncGenerator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._transfer.archive import tar
from jetstow._transfer.archive.input import arriving
from jetstow._transfer.archive.tar import Tar
from jetstow.errors import BadArchiveError

Found = list[tuple[str, bytes, bytes]]


async def cut(data: bytes, size: int) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data: bytes, size: int = 700) -> Found:
    """All that is in an archive: paths, comments and bytes."""
    found: Found = []
    archive = Tar(cut(data, size))
    while (member := await archive.next()) is not None:
        pieces = [piece async for piece in archive.data(member)]
        found.append((member.path, member.comment, b"".join(pieces)))
    return found


def file(path: str, data: bytes, comment: bytes = b"") -> bytes:
    return tar.header(path, len(data), 1_700_000_000, comment) + data + tar.filling(len(data))


WHOLE = file("a", b"1" * 700, b"said of it") + file("ü/" + "x" * 150, b"") + tar.END


def test_tarfile_reads_what_is_written() -> None:
    with tarfile.open(fileobj=io.BytesIO(WHOLE)) as archive:
        first, second = archive
        assert (first.name, first.size, first.mtime) == ("a", 700, 1_700_000_000)
        assert first.pax_headers == {"comment": "said of it"}
        assert second.name == "ü/" + "x" * 150
        opened = archive.extractfile(first)
        assert opened is not None
        assert opened.read() == b"1" * 700


@pytest.mark.parametrize("size", [1, 511, 512, 513, 100_000])
async def test_what_is_written_is_read(size: int) -> None:
    found = [("a", b"said of it", b"1" * 700), ("ü/" + "x" * 150, b"", b"")]
    assert await read(WHOLE, size) == found
    assert await read(WHOLE + bytes(20_000), size) == found


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
async def test_what_tarfile_writes_is_read(kind: int) -> None:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w", format=kind) as archive:
        archive.addfile(entry := tarfile.TarInfo("a"), io.BytesIO(b"xyz"))
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"xyz"))
    assert [data for _, _, data in await read(into.getvalue())] == [b"", b"xyz"]


async def test_more_than_a_header_can_count() -> None:
    size = 9 * 1024**3
    member = await Tar(cut(tar.header("a", size), 512)).next()
    assert member is not None
    assert member.size == size


@pytest.mark.parametrize("length", [1, 511, 512, 700, 1024, 1025, len(WHOLE) - 1024])
async def test_a_part_of_an_archive(length: int) -> None:
    with pytest.raises(BadArchiveError, match="truncated"):
        await read(WHOLE[:length])


def typed(kind: bytes) -> bytes:
    entry = tarfile.TarInfo("x")
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry.tobuf(tarfile.USTAR_FORMAT)


def pax(records: bytes, size: int | None = None) -> bytes:
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, len(records) if size is None else size
    return entry.tobuf(tarfile.GNU_FORMAT) + records + tar.filling(len(records))


PLAIN = file("a", b"")
OTHERS = "something else than files"
UNREADABLE = "pax header that cannot be read"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "truncated", id="nothing"),
        pytest.param(b"x" * 5000, "is no tar", id="text"),
        pytest.param(PLAIN + b"x" * 5000, "header that cannot be read", id="text after a file"),
        pytest.param(typed(tarfile.SYMTYPE), OTHERS, id="symbolic link"),
        pytest.param(typed(tarfile.LNKTYPE), OTHERS, id="hard link"),
        pytest.param(typed(tarfile.CHRTYPE), OTHERS, id="device"),
        pytest.param(typed(tarfile.DIRTYPE), OTHERS, id="folder"),
        pytest.param(typed(tarfile.GNUTYPE_SPARSE), OTHERS, id="sparse file"),
        pytest.param(typed(tarfile.GNUTYPE_LONGNAME), OTHERS, id="GNU's long name"),
        pytest.param(pax(b"", 2**40), "header of 1099511627776 bytes", id="huge header"),
        pytest.param(pax(b"", -1), "header of -1 bytes", id="negative header"),
        pytest.param(pax(b"") + pax(b"") + PLAIN, OTHERS, id="header after header"),
        pytest.param(pax(b"") + tar.END, "ends after a header", id="header before the end"),
        pytest.param(pax(b"11 size=-1\n") + PLAIN, UNREADABLE, id="negative size"),
        pytest.param(pax(b"29 size=%d\n" % (10**20 - 1)) + PLAIN, "file of 9999", id="huge size"),
        pytest.param(pax(b"99 a=b\n") + PLAIN, UNREADABLE, id="record beyond its header"),
        pytest.param(pax(b"0 a=b\n") + PLAIN, UNREADABLE, id="record without length"),
        pytest.param(pax(b"x a=b\n") + PLAIN, UNREADABLE, id="no number"),
        pytest.param(pax(b"6 ab=\n" * 2 + b"2 ") + PLAIN, UNREADABLE, id="half a record"),
        pytest.param(pax("9 a=b²\n".encode()) + PLAIN, UNREADABLE, id="another length"),
        pytest.param(WHOLE + b"x", "follows the end", id="something behind"),
        pytest.param(WHOLE + bytes(2**21), "follows the end", id="zeros without end"),
    ],
)
async def test_what_is_no_archive_of_ours(data: bytes, said: str) -> None:
    with pytest.raises(BadArchiveError, match=said):
        await read(data)


@given(st.binary(max_size=2000), st.integers(0, len(WHOLE)))
async def test_any_bytes_anywhere(noise: bytes, at: int) -> None:
    changed = WHOLE[:at] + noise + WHOLE[at + len(noise) :]
    with suppress(BadArchiveError):
        await read(changed)


# -- compressed --------------------------------------------------------------------------


async def unpacked(data: bytes, size: int = 700) -> bytes:
    return b"".join([piece async for piece in arriving(cut(data, size))])


@pytest.mark.parametrize("size", [1, 5, 700, 10_000_000])
async def test_gzip_is_known_by_its_beginning(size: int) -> None:
    packed = gzip.compress(WHOLE)
    assert await unpacked(packed, size) == WHOLE
    assert await unpacked(packed + packed, size) == WHOLE + WHOLE
    assert await unpacked(WHOLE[:1000], size) == WHOLE[:1000]


async def test_a_little_that_becomes_much_comes_a_piece_at_a_time() -> None:
    sizes = [len(piece) async for piece in arriving(cut(gzip.compress(bytes(10**7)), 10**6))]
    assert sum(sizes) == 10**7
    assert max(sizes) <= 2**20


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(WHOLE)[:-1], "truncated"),
        (gzip.compress(WHOLE)[:40], "truncated"),
        (gzip.compress(WHOLE)[:-8] + bytes(8), "damaged"),
        (gzip.compress(WHOLE) + b"more", "damaged"),
        (b"\xfd7zXZ\0more", "xz"),
        (b"BZh9more", "bzip2"),
        (b"\x28\xb5\x2f\xfdmore", "zstd"),
    ],
    ids=["all but a byte", "a beginning", "another sum", "more behind", "xz", "bzip2", "zstd"],
)
async def test_what_cannot_be_unpacked(data: bytes, said: str) -> None:
    with pytest.raises(BadArchiveError, match=said):
        await unpacked(data)
