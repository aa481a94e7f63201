"""The table of an object's parts in its metadata."""

from __future__ import annotations

import pytest

from jetstow.s3.multipart.table import PartTable

MIB = 1024 * 1024


@pytest.mark.parametrize(
    "table",
    [
        PartTable((0,)),
        PartTable((8 * MIB,) * 31 + (17,)),
        PartTable((1, 2, 2, 3), "CRC32", (b"abcd", b"efgh", b"ijkl", b"mnop")),
        PartTable(tuple(range(10_000))),
    ],
)
def test_table_is_read_as_written(table: PartTable) -> None:
    again = PartTable.parse(str(table))
    assert again is not None
    assert (again.sizes, again.sums) == (table.sizes, table.sums)


def test_equal_sizes_take_one_entry() -> None:
    assert str(PartTable((8 * MIB,) * 9_999 + (5,))) == "8388608*9999,5"


def test_size_is_bounded() -> None:
    sizes = tuple(range(5 * MIB, 5 * MIB + 10_000))
    table = PartTable(sizes, "SHA256", (bytes(32),) * 10_000)
    assert len(str(table)) < 100_000
    again = PartTable.parse(str(table))
    assert again is not None
    assert (again.count, again.sums, again.checksum(1)) == (10_000, (), None)


def test_ranges() -> None:
    table = PartTable((3, 0, 5))
    assert [table.range_of(n) for n in range(5)] == [None, (0, 3), (3, 3), (3, 8), None]


@pytest.mark.parametrize(
    "text", ["", "x", "1,", "1*", "-1", "1*99999,1", "1*5000,1*5001", "1" * 16, "1;;", "1 "]
)
def test_text_that_is_no_table(text: str) -> None:
    table = PartTable.parse(text)
    assert table is None or not table.sums


@pytest.mark.parametrize("sums", ["CRC32;!!", "CRC32;AAAA", "NONE;AAAAAA==", "CRC32"])
def test_sums_that_do_not_fit_are_left_out(sums: str) -> None:
    table = PartTable.parse(f"7;{sums}")
    assert table is not None
    assert (table.sizes, table.sums) == ((7,), ())
