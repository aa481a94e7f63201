"""Previews that the API returns: text, and tables of CSV and Parquet."""

from __future__ import annotations

import datetime
import decimal
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jetstow.console import parquet
from tests.support.console import error_code

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient

MIB = 1024 * 1024


@pytest.fixture
def put(s3: Any, s3_bucket: str) -> Any:
    def put(name: str, body: bytes) -> str:
        s3.put_object(Bucket=s3_bucket, Key=name, Body=body)
        return f"buckets/{s3_bucket}"

    return put


def test_text(client: ConsoleClient, put: Any) -> None:
    for body, text in (
        (b"", ""),
        ("<script>ä€🪿</script>\r\n".encode(), "<script>ä€🪿</script>\r\n"),
        (b"a\xff\x00b\xe2\x82", "a\ufffd\x00b\ufffd"),
        ("\ufeffmark".encode(), "mark"),
        ("wide ä".encode("utf-16"), "wide ä"),
    ):
        path = put("a.html", body)
        expected = {"text": text, "truncated": False, "size": len(body)}
        assert client.get(f"{path}/text?name=a.html").json() == expected


def test_text_of_a_large_object(client: ConsoleClient, put: Any) -> None:
    """10 MB in one line: only the first bytes are read, and a character is not cut in two."""
    path = put("line.txt", "ä€".encode() * 2 * MIB)
    text = client.get(f"{path}/text?name=line.txt").json()
    assert (text["size"], text["truncated"]) == (10 * MIB, True)
    assert len(text["text"].encode()) in range(256 * 1024 - 2, 256 * 1024 + 1)
    assert set(text["text"]) == {"ä", "€"}
    assert client.get(f"{path}/text?name=line.txt&limit=3").json()["text"] == "ä"
    for limit in ("-1", "x", str(MIB + 1)):
        assert client.get(f"{path}/text?name=line.txt&limit={limit}").status_code == 400


def test_csv(client: ConsoleClient, put: Any) -> None:
    path = put("a.csv", b"n,<b>\n1,<script>\n2,x\n")
    assert client.get(f"{path}/table?name=a.csv").json() == {
        "columns": [{"name": "n", "type": "number"}, {"name": "<b>", "type": "text"}],
        "rows": [["1", "<script>"], ["2", "x"]],
        "truncated": False,
        "total": 2,
    }
    path = put("large.csv", b"a,b\n" + b"1,2\n" * 3 * MIB)
    table = client.get(f"{path}/table?name=large.csv").json()
    assert (len(table["rows"]), table["truncated"], table["total"]) == (200, True, None)
    for bomb in (b"," * 10 * MIB, b'"' + b"," * 10 * MIB, b"\n" * 10 * MIB):
        put("bomb.csv", bomb)
        response = client.get(f"{path}/table?name=bomb.csv")
        assert (response.status_code, response.json()["truncated"]) == (200, True)
        assert len(response.content) < MIB


def parquet_file(table: pa.Table, **options: Any) -> bytes:
    output = io.BytesIO()
    pq.write_table(table, output, **options)
    return output.getvalue()


def test_parquet(client: ConsoleClient, put: Any) -> None:
    table = pa.table({
        "id": pa.array([1, 2**60]),
        "<b>": ["<script>", None],
        "at": [datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), None],
        "price": [decimal.Decimal("1.10"), None],
        "ratio": [float("nan"), 0.5],
        "raw": [b"\x00\xff", b""],
        "list": [list(range(30)), []],
        "yes": [True, False],
        "nested": [{"a": 1}, None],
    })  # fmt: skip
    path = put("a.parquet", parquet_file(table))
    found = client.get(f"{path}/table?name=a.parquet").json()
    assert [column["type"] for column in found["columns"]][:3] == [
        "int64", "string", "timestamp[us, tz=UTC]",
    ]  # fmt: skip
    assert found["rows"] == [
        [1, "<script>", "2026-01-02T03:04:05+00:00", "1.10", "nan", "0x00ff",
         str([*range(20), "…"]), True, "{'a': 1}"],
        [str(2**60), None, None, None, 0.5, "0x", "[]", False, None],
    ]  # fmt: skip
    assert (found["truncated"], found["total"]) == (False, 2)


def test_parquet_is_read_by_ranges(
    client: ConsoleClient, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows of a large file need its metadata and its first pages."""
    monkeypatch.setattr(parquet, "MAX_READ", 3 * MIB)
    rows = 400_000
    texts = [f"row {n} {n * 7919 % 10007}" for n in range(rows)]
    table = pa.table({"n": range(rows), "text": texts})
    body = parquet_file(table, row_group_size=50_000, use_dictionary=False, compression="none")
    assert len(body) > 8 * MIB
    path = put("large.parquet", body)
    found = client.get(f"{path}/table?name=large.parquet").json()
    assert (len(found["rows"]), found["total"], found["truncated"]) == (200, rows, True)
    assert found["rows"][199] == [199, f"row 199 {199 * 7919 % 10007}"]
    monkeypatch.setattr(parquet, "MAX_READ", 1_000)
    refused = client.get(f"{path}/table?name=large.parquet")
    assert (refused.status_code, error_code(refused)) == (400, "InvalidRequest")


def test_parquet_that_decompresses_to_too_much(
    client: ConsoleClient, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a file of some KB becomes is limited, in another process than the gateway."""
    monkeypatch.setattr(parquet, "MAX_MEMORY", 400 * MIB)
    table = pa.table({"a": [bytes(64 * MIB)]})
    bomb = parquet_file(table, compression="zstd", use_dictionary=False, write_statistics=False)
    assert len(bomb) < MIB
    path = put("bomb.parquet", bomb)
    refused = client.get(f"{path}/table?name=bomb.parquet")
    assert (refused.status_code, error_code(refused)) == (400, "InvalidRequest")
    put("fine.parquet", parquet_file(pa.table({"a": [1]})))
    assert client.get(f"{path}/table?name=fine.parquet").json()["rows"] == [[1]]


def test_what_is_no_parquet_file(client: ConsoleClient, put: Any) -> None:
    good = parquet_file(pa.table({"n": range(1_000)}))
    for body in (
        b"", b"PAR1", b"x" * 10_000, good[:-20], good[:500] + bytes(500) + good[1_000:],
        b"PAR1" + b"\xff\xff\xff\x7fPAR1", good[:-8] + b"\xff\xff\xff\x7fPAR1",
    ):  # fmt: skip
        path = put("bad.parquet", body)
        response = client.get(f"{path}/table?name=bad.parquet")
        assert response.status_code == 400, response.text
        assert error_code(response) == "InvalidRequest"
    assert client.get(f"{path}/table?name=none.parquet").status_code == 404
