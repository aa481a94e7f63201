"""The parser of forms, with the body in any division."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow.s3.body.form import FormReader
from jetstow.s3.errors import S3Error

FILE = b"\r\n--xy\r\n--\r\n-xyz\r\n-"
FORM = (
    b'--xyz\r\nContent-Disposition: form-data; name="Key"\r\n\r\na;b\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="C:\\d\\f.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n" + FILE + b"\r\n--xyz--\r\n"
)


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data: bytes, size: int) -> tuple[dict[str, str], str, bytes]:
    form = FormReader(pieces(data, size), "multipart/form-data; boundary=xyz")
    fields = await form.read_fields()
    content, more = b"", True
    while more:
        message = await form.receive()
        content, more = content + message["body"], message["more_body"]
    return fields, form.filename, content


@pytest.mark.parametrize("size", [*range(1, 40), len(FORM)])
async def test_any_division(size: int) -> None:
    assert await read(FORM, size) == ({"key": "a;b"}, "f.txt", FILE)


@pytest.mark.parametrize("end", range(0, len(FORM) - 4, 5))
async def test_form_that_is_cut(end: int) -> None:
    with pytest.raises(S3Error, match=r"MalformedPOSTRequest|IncompleteBody"):
        await read(FORM[:end], 7)


@given(data=st.binary(max_size=300), at=st.integers(0, len(FORM)), size=st.integers(1, 64))
async def test_damaged_form(data: bytes, at: int, size: int) -> None:
    with suppress(S3Error):
        await read(FORM[:at] + data + FORM[at + len(data) :], size)
