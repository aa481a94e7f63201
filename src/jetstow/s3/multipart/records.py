"""The records of uploads and their parts: a key-value bucket, so that any gateway has them.

The key of an upload is BUCKET.ID.0, that of a part BUCKET.ID.NUMBER, and that of the tail of the
parts in order BUCKET.ID.0.tail. Records expire.
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import msgspec
import nats.errors
from nats.js import errors as js_errors
from nats.js.kv import KeyValue

from jetstow import JetStreamContext
from jetstow._core.protocol.api_errors import no_responders
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._upload_records import (
    UPLOAD_RECORDS,
    list_keys,
    read_record,
    read_records,
    records_api,
)
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.model import MAX_PARTS, Part, Tail, Upload

# How long an upload may take, in seconds: its parts expire then.
UPLOAD_TTL: Final = 7 * 24 * 3600

_STREAM: Final = f"KV_{UPLOAD_RECORDS}"
_SUBJECT: Final = f"$KV.{UPLOAD_RECORDS}."
_TAIL: Final = "0.tail"

_Record = TypeVar("_Record", Upload, Part, Tail)
_Result = TypeVar("_Result")


class Records:
    """The records that one NATS connection can see."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._kv: KeyValue | None = None
        self._replicas = 1
        self._opening = asyncio.Lock()

    # -- uploads -----------------------------------------------------------------------------

    async def create(self, upload: Upload, replicas: int) -> None:
        """Record a new upload. The records have at least as many replicas as its bucket."""
        kv = await self._open(replicas)
        record = msgspec.msgpack.encode(upload)
        await self._publish(partial(kv.put, _key(upload.bucket, upload.id), record))

    async def find(self, bucket: str, upload_id: str) -> tuple[Upload, int] | None:
        """Return an upload and the revision of its record; None if there is none."""
        if not upload_id.isalnum() or not upload_id.isascii():
            return None
        return await self._get(_key(bucket, upload_id), Upload)

    async def change(self, upload: Upload, revision: int) -> int | None:
        """Replace the record of an upload. Return its new revision; None if it was changed."""
        return await self._update(_key(upload.bucket, upload.id), upload, revision)

    async def remove(self, upload: Upload, revision: int | None = None) -> bool:
        """Remove an upload and its parts; with a revision, only if it is at that revision."""
        kv = await self._open()
        key = _key(upload.bucket, upload.id)
        if revision is not None:
            try:
                await self._publish(partial(kv.delete, key, last=revision))
            except js_errors.APIError as error:
                if error.err_code in (10071, 10164):
                    return False
                raise
        with _as_s3_errors():
            await self._js.purge_stream(
                _STREAM, subject=_SUBJECT + _key(upload.bucket, upload.id, ">")
            )
        return True

    async def remove_bucket(self, bucket: str) -> None:
        """Remove all uploads to a bucket."""
        try:
            with _as_s3_errors():
                await self._js.purge_stream(_STREAM, subject=f"{_SUBJECT}{bucket}.>")
        except js_errors.NotFoundError:
            return

    async def list(self, bucket: str) -> list[Upload]:
        """Return the uploads to a bucket."""
        return [upload for upload, _ in await self.list_with_times(bucket)]

    async def list_with_times(self, bucket: str) -> builtins.list[tuple[Upload, datetime]]:
        """Return the uploads to a bucket, and when the server stored their records.

        A record is stored again with the first part and before the completion.
        """
        keys = await list_keys(self._js, _key(bucket, "*"))
        return [
            (msgspec.msgpack.decode(record.value, type=Upload), record.time)
            async for record in read_records(self._js, keys)
        ]

    # -- parts -------------------------------------------------------------------------------

    async def put_part(self, upload: Upload, part: Part) -> None:
        """Record a part, replacing one of the same number."""
        await self._put(_key(upload.bucket, upload.id, str(part.number)), part)

    async def remove_part(self, upload: Upload, part: Part) -> None:
        """Remove a part whose bytes are gone."""
        with _as_s3_errors():
            subject = _SUBJECT + _key(upload.bucket, upload.id, str(part.number))
            await self._js.purge_stream(_STREAM, subject=subject)

    async def find_part(self, upload: Upload, number: int) -> tuple[Part, int] | None:
        """Return a part and the revision of its record; None if there is none."""
        return await self._get(_key(upload.bucket, upload.id, str(number)), Part)

    async def change_part(self, upload: Upload, part: Part, revision: int) -> bool:
        """Replace the record of a part. Return False if it was changed."""
        key = _key(upload.bucket, upload.id, str(part.number))
        return await self._update(key, part, revision) is not None

    async def parts(
        self, upload: Upload, *, after: int = 0, limit: int = MAX_PARTS
    ) -> dict[int, Part]:
        """Return the parts with numbers above `after` by number, in order: up to `limit`."""
        pattern = _key(upload.bucket, upload.id, "*")
        keys = await list_keys(self._js, pattern)
        numbers = sorted(int(key.rpartition(".")[2]) for key in keys)  # 0 is the upload
        selected = [pattern[:-1] + str(number) for number in numbers if number > after]
        parts: dict[int, Part] = {}
        async with aclosing(read_records(self._js, selected)) as records:
            async for record in records:
                part = msgspec.msgpack.decode(record.value, type=Part)
                parts[part.number] = part
                if len(parts) >= limit:
                    break
        return parts

    async def put_tail(self, upload: Upload, tail: Tail) -> None:
        """Record the tail of the parts in order, replacing that of earlier ones."""
        await self._put(_key(upload.bucket, upload.id, _TAIL), tail)

    async def find_tail(self, upload: Upload) -> Tail | None:
        """Return the tail of the parts in order; None if all their bytes are in chunks."""
        found = await self._get(_key(upload.bucket, upload.id, _TAIL), Tail)
        return None if found is None else found[0]

    # -- inside ------------------------------------------------------------------------------

    async def _get(self, key: str, kind: type[_Record]) -> tuple[_Record, int] | None:
        record = await read_record(self._js, key)
        if record is None:
            return None
        return msgspec.msgpack.decode(record.value, type=kind), record.revision

    async def _put(self, key: str, record: Part | Tail) -> None:
        kv = await self._open()
        await self._publish(partial(kv.put, key, msgspec.msgpack.encode(record)))

    async def _update(self, key: str, record: Upload | Part, revision: int) -> int | None:
        kv = await self._open()
        try:
            value = msgspec.msgpack.encode(record)
            return await self._publish(partial(kv.update, key, value, last=revision))
        except js_errors.KeyWrongLastSequenceError:
            return None

    async def _publish(self, publish: Callable[[], Awaitable[_Result]]) -> _Result:
        """Publish a record; again while there is no leader: then no server has received it."""
        context = ErrorContext(UPLOAD_RECORDS)

        async def attempt() -> _Result:
            try:
                return await publish()
            except js_errors.NoStreamResponseError:
                raise no_responders(context) from None

        with _as_s3_errors():
            return await records_api(self._js).retry(context, attempt)

    async def _open(self, replicas: int = 1) -> KeyValue:
        """Return the bucket. Create it, or add replicas to it, as needed."""
        async with self._opening:
            with _as_s3_errors():
                if self._kv is None:
                    self._kv = await self._create(replicas)
                if replicas > self._replicas:
                    config = (await self._js.stream_info(_STREAM)).config
                    if replicas > (config.num_replicas or 1):
                        config.num_replicas = replicas
                        await self._js.update_stream(config)
                    self._replicas = replicas
            return self._kv

    async def _create(self, replicas: int) -> KeyValue:
        try:
            return await self._js.key_value(UPLOAD_RECORDS)
        except js_errors.NotFoundError:
            return await self._js.create_key_value(
                bucket=UPLOAD_RECORDS,
                description="Multipart uploads of the S3 gateway",
                ttl=UPLOAD_TTL,
                replicas=replicas,
            )


def _key(bucket: str, upload_id: str, number: str = "0") -> str:
    return f"{bucket}.{upload_id}.{number}"


@contextmanager
def _as_s3_errors() -> Iterator[None]:
    """Raise what the records cannot do at the moment as errors of S3."""
    try:
        yield
    except js_errors.ServiceUnavailableError:
        raise S3Error("ServiceUnavailable") from None
    except (nats.errors.TimeoutError, nats.errors.ConnectionClosedError,
            nats.errors.NoRespondersError) as error:  # fmt: skip
        raise S3Error("ServiceUnavailable") from error
