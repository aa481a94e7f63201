"""Forms of browsers (`multipart/form-data`): the fields, and the bytes of the file as a stream."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.message import Message
from typing import Any, Final

from jetstow.s3.errors import S3Error

FILE: Final = "file"

# S3's limit of everything before the file.
MAX_FIELDS_SIZE: Final = 20 * 1024
_MAX_FIELDS: Final = 100

_BOUNDARY: Final = re.compile(r"[ -~]{0,69}[!-~]")
_DISPOSITION: Final = re.compile(
    r'content-disposition\s*:\s*form-data\s*((?:;\s*[\w*-]+=(?:"[^"]*"|[^;"\s]*)\s*)*)',
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(r';\s*([\w*-]+)=(?:"([^"]*)"|([^;"\s]*))')


class FormReader:
    """Reads a form: the fields in front of the file with `read_fields`, then the file.

    `receive` yields the file as messages of ASGI. Fields after the file are discarded, as in S3:
    browsers send the submit button.
    """

    def __init__(self, pieces: AsyncIterator[bytes], content_type: str) -> None:
        self.filename = ""
        self._delimiter = b"\r\n--" + _parse_boundary(content_type)
        self._pieces = pieces
        # So that the first delimiter is like all others.
        self._buffer = bytearray(b"\r\n")
        self._size = 0
        self._ended = False

    async def read_fields(self) -> dict[str, str]:
        """Return the fields before the file, with names in lower case.

        Raises: `S3Error` (MalformedPOSTRequest, MaxPostPreDataLengthExceeded,
        IncorrectNumberOfFilesInPostRequest: there is no file).
        """
        fields: dict[str, str] = {}
        if await self._read_until(self._delimiter) != b"":
            raise S3Error("MalformedPOSTRequest")
        while not await self._is_end():
            name, filename = _parse_head(await self._read_until(b"\r\n\r\n"))
            if name.lower() == FILE:
                # Some browsers send the path.
                self.filename = re.split(r"[/\\]", filename)[-1]
                return fields
            if name.lower() in fields or len(fields) >= _MAX_FIELDS:
                raise S3Error("MalformedPOSTRequest", f"The field {name!r} is there twice.")
            fields[name.lower()] = _decode(await self._read_until(self._delimiter))
        raise S3Error("IncorrectNumberOfFilesInPostRequest")

    async def receive(self) -> dict[str, Any]:
        """Return the next bytes of the file. Raises: `S3Error` (IncompleteBody)."""
        while not self._ended:
            end = self._buffer.find(self._delimiter)
            # The end of the buffer may be the beginning of the delimiter.
            size = end if end >= 0 else len(self._buffer) - len(self._delimiter) + 1
            self._ended = end >= 0
            if size > 0 or self._ended:
                piece = bytes(self._buffer[: max(size, 0)])
                del self._buffer[: max(size, 0)]
                return {"type": "http.request", "body": piece, "more_body": not self._ended}
            await self._fill("IncompleteBody")
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _is_end(self) -> bool:
        """Return whether the last delimiter was that of the end."""
        while len(self._buffer) < 2:
            await self._fill()
        end = bytes(self._buffer[:2])
        if end not in (b"\r\n", b"--"):
            raise S3Error("MalformedPOSTRequest")
        del self._buffer[:2]
        return end == b"--"

    async def _read_until(self, end: bytes) -> bytes:
        while (position := self._buffer.find(end)) < 0:
            if self._size + len(self._buffer) > MAX_FIELDS_SIZE:
                raise S3Error("MaxPostPreDataLengthExceeded")
            await self._fill()
        data = bytes(self._buffer[:position])
        del self._buffer[: position + len(end)]
        self._size += position + len(end)
        if self._size > MAX_FIELDS_SIZE:
            raise S3Error("MaxPostPreDataLengthExceeded")
        return data

    async def _fill(self, error: str = "MalformedPOSTRequest") -> None:
        piece = await anext(self._pieces, None)
        if piece is None:
            raise S3Error(error)
        self._buffer += piece


def _parse_boundary(content_type: str) -> bytes:
    """Return the boundary. Raises: `S3Error` (PreconditionFailed: it is no form)."""
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_boundary("")
    if message.get_content_type() != "multipart/form-data":
        text = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise S3Error("PreconditionFailed", text, Condition=text)
    if not _BOUNDARY.fullmatch(boundary):
        raise S3Error("MalformedPOSTRequest")
    return boundary.encode()


def _parse_head(head: bytes) -> tuple[str, str]:
    """Return the name of a field and its file name, or an empty string."""
    for line in _decode(head).split("\r\n"):
        if match := _DISPOSITION.fullmatch(line):
            found = {m[1].lower(): m[2] or m[3] or "" for m in _PARAMETER.finditer(match[1])}
            if found.get("name"):
                return found["name"], found.get("filename", "")
    raise S3Error("MalformedPOSTRequest")


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise S3Error("MalformedPOSTRequest", "The fields of a form must be UTF-8.") from None
