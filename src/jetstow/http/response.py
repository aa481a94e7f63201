"""One object as an ASGI response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Self

from jetstow._core.protocol.versions import VERSIONS_PREFIX
from jetstow.errors import ObjectChangedError, ObjectNotFoundError
from jetstow.http.asgi import (
    Message,
    Receive,
    Scope,
    Send,
    response_start,
    send_text,
    until_disconnect,
)
from jetstow.http.content_headers import content_headers, not_modified_headers
from jetstow.http.etags import entity_tag
from jetstow.http.preconditions import Selection, condition_headers, needs_bytes, select

if TYPE_CHECKING:
    from jetstow.models import ObjectInfo
    from jetstow.store import ObjectReader, ObjectStore

# The bytes of one ASGI message, at least: a server handles few large messages faster.
_BATCH_SIZE: Final = 512 * 1024

_ERRORS: Final = {
    HTTPStatus.PRECONDITION_FAILED: "the object is not the one that the request expects",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "the range has no bytes of the object",
}


class ObjectResponse:
    """A response with an object, a range of it, or the status of a precondition that failed.

    `open` creates one for a request. It is an ASGI application: call it with `scope`, `receive` and
    `send`. Until then, `selection` shows the status and the range, and `headers` can be changed.
    Names of headers are in lower case.

    For other statuses or ranges, pass the arguments yourself: an object opened with
    `ObjectStore.open`, a `Selection`, the headers and the method.

    The bytes are read from the server as the client takes them. If the object cannot be read to
    its end, sending raises an error before the last bytes, and the server closes the connection:
    an incomplete or damaged object never looks complete. If the client disconnects, sending ends
    without an error. `bytes_sent` is the number of bytes sent so far.
    """

    __slots__ = ("_batches", "_file", "_first", "_method", "bytes_sent", "headers", "selection")

    def __init__(
        self, file: ObjectReader, selection: Selection, headers: Mapping[str, str], method: str
    ) -> None:
        self.selection = selection
        self.headers = dict(headers)
        self.bytes_sent = 0
        self._file = file
        self._method = method
        self._batches: AsyncGenerator[bytes, None] | None = None
        self._first = b""

    @classmethod
    async def open(
        cls,
        store: ObjectStore,
        name: str,
        scope: Scope,
        *,
        etag: Callable[[ObjectInfo], str] = entity_tag,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Open an object for the GET or HEAD request of an ASGI scope.

        Preconditions and a single range are evaluated as RFC 9110 defines; several ranges are
        answered with the whole object. `etag` returns the quoted entity tag of an object (default:
        its digest). `headers` are added, and replace the object's own.

        The first bytes are read, so that most errors are raised here and not after the start of
        the response.

        The name may come from a URL: it does not reach deleted objects and older versions, which
        other NATS clients see under names that begin with `.jetstow/versions/`.

        Raises: what `ObjectStore.open` raises.
        """
        if name.startswith(VERSIONS_PREFIX):
            raise ObjectNotFoundError(
                f"names that begin with {VERSIONS_PREFIX} are those of versions",
                bucket=store.bucket,
                name=name,
            )
        conditions, method = condition_headers(scope["headers"]), scope["method"]
        while True:
            file = await store.open(name, prefetch=needs_bytes(method, conditions))
            tag = etag(file.info)
            selection = select(
                method,
                conditions,
                etag=tag,
                modified=file.info.modified,
                size=file.info.size or 0,
            )
            fields = content_headers(file.info, tag) | dict(headers or {})
            response = cls(file, selection, fields, method)
            try:
                await response.read_first()
            except ObjectChangedError:
                continue  # nothing was sent yet: send the new object
            return response

    @property
    def info(self) -> ObjectInfo:
        """The object's metadata."""
        return self._file.info

    async def read_first(self) -> None:
        """Read the first bytes of the body; `open` has done so.

        Raises: `ObjectChangedError` (open the object again), and what `ObjectStore.get` raises.
        """
        start, length = self.selection.start, self.selection.length
        if self._method == "HEAD" or not length or self._first or self._batches is not None:
            return
        try:
            if length <= _BATCH_SIZE:
                self._first = await self._file.read_at(start, length)
            else:
                self._batches = _joined(self._file.stream(start, length))
                self._first = await anext(self._batches, b"")
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop reading the object. Sending the response does this, too."""
        if self._batches is not None:
            await self._batches.aclose()
        await self._file.close()

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - `open` has evaluated it
        receive: Receive,
        send: Send,
    ) -> None:
        """Send the response.

        Raises: `ValueError` (it was sent or closed before), and what `ObjectStore.get` raises.
        """
        if self._file.closed:
            raise ValueError(f"the response with object {self.info.name!r} is closed: open another")
        try:
            await self.read_first()
            if self.selection.status in _ERRORS:
                await self._send_error(send)
            elif self._batches is None or len(self._first) == self.selection.length:
                await self._send(send, self._start(), self._first, more=False)
            else:
                await until_disconnect(self._send_object(send), receive)
        finally:
            await self.close()

    def _start(self) -> Message:
        if self.selection.status == HTTPStatus.NOT_MODIFIED:
            return response_start(self.selection.status, not_modified_headers(self.headers))
        headers = self.headers | {"content-length": str(self.selection.length)}
        return response_start(self.selection.status, headers | self._range_header())

    def _range_header(self) -> dict[str, str]:
        content_range = self.selection.content_range
        return {} if content_range is None else {"content-range": content_range}

    async def _send_error(self, send: Send) -> None:
        status = HTTPStatus(self.selection.status)
        text = "" if self._method == "HEAD" else _ERRORS[status]
        await send_text(send, status, text, self._range_header())

    async def _send_object(self, send: Send) -> None:
        assert self._batches is not None
        left, batch = self.selection.length, self._first
        start: Message | None = self._start()
        self._first = b""
        while batch:
            left -= len(batch)
            if not await self._send(send, start, batch, more=left > 0):
                return
            start = None
            batch = await anext(self._batches, b"")

    async def _send(self, send: Send, start: Message | None, body: bytes, *, more: bool) -> bool:
        """Send a part of the response. Return false if the client has gone."""
        try:
            if start is not None:
                await send(start)
            await send({"type": "http.response.body", "body": body, "more_body": more})
        except OSError:  # ASGI 2.4; older servers ignore what is sent after a disconnect
            return False
        self.bytes_sent += len(body)
        return True


async def _joined(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Join pieces to batches.

    The last batch is yielded after `pieces` has ended, which verifies the object.
    """
    batch: list[bytes] = []
    size = 0
    async with aclosing(pieces):
        async for piece in pieces:
            if size >= _BATCH_SIZE:
                yield b"".join(batch)
                batch, size = [], 0
            batch.append(piece)
            size += len(piece)
    if batch:
        yield b"".join(batch)
