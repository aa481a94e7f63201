"""Tables of CSV files, well-formed and not."""

from __future__ import annotations

import pytest

from jetstow.console.tables import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Column, Table, parse_csv


def test_table() -> None:
    data = b'\xef\xbb\xbfname,size,"a, b"\r\nx,1,\xc3\xa4\r\n"two\nlines",-2.5e3,\r\n\r\n'
    assert parse_csv(data, is_all=True) == Table(
        [Column("name", "text"), Column("size", "number"), Column("a, b", "text")],
        [["x", "1", "ä"], ["two\nlines", "-2.5e3", ""]],
        truncated=False,
        total=2,
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_of_the_first_line(delimiter: str) -> None:
    data = f"a{delimiter}b\n1{delimiter}2\n".encode()
    assert parse_csv(data, is_all=True).rows == [["1", "2"]]


def test_records_of_different_lengths() -> None:
    table = parse_csv(b"a,b\n1,2,3\n4\n", is_all=True)
    assert [column.name for column in table.columns] == ["a", "b", ""]
    assert table.rows == [["1", "2", "3"], ["4", "", ""]]


def test_last_line_of_a_part_is_left_out() -> None:
    table = parse_csv(b"a,b\n1,2\n3,4", is_all=False)
    assert table == Table([Column("a", "number"), Column("b", "number")], [["1", "2"]], True, None)


def test_more_than_is_shown() -> None:
    rows = "".join(f"{row}\n" for row in range(MAX_ROWS + 50))
    table = parse_csv(f"n\n{rows}".encode(), is_all=True)
    assert (len(table.rows), table.total, table.truncated) == (MAX_ROWS, MAX_ROWS + 50, True)
    wide = parse_csv(b"," * 1_000_000, is_all=True)
    assert (len(wide.columns), wide.truncated) == (MAX_COLUMNS, True)
    long = parse_csv(b"a\n" + b"x" * 5_000, is_all=True)
    assert (len(str(long.rows[0][0])), long.truncated) == (MAX_CELL, True)


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b'"' + b"x" * 1_000_000, b"x" * 1_000_000, b"\x00\xff\xfe", b'"a"b"c\n']
)
def test_what_is_no_table(data: bytes) -> None:
    for is_all in (True, False):
        table = parse_csv(data, is_all=is_all)
        assert all(len(str(cell)) <= MAX_CELL for row in table.rows for cell in row)
        assert table.total in (None, 0)
