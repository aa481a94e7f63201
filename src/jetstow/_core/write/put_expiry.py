"""The expiry of an object that is put."""

from __future__ import annotations

from jetstow._core.bucket.admin import enable_message_ttl
from jetstow._core.bucket.server_time import ServerClock
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import ttl
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.ttl import Expiry
from jetstow._core.write.put_options import PutOptions
from jetstow._headers import expiry_from_headers
from jetstow.models import ObjectMeta


async def put_expiry(
    stream: Stream, context: ErrorContext, meta: ObjectMeta, options: PutOptions
) -> Expiry | None:
    """Return the expiry that the options or the headers state, and enable message TTLs for it.

    Raises: `InvalidOptionError`.
    """
    expires_at = options.expires_at or (expiry_from_headers(meta.headers) if meta.headers else None)
    seconds = ttl.check_ttl(context, options.ttl) if expires_at is None else None
    if seconds is None and expires_at is None:
        return None
    await enable_message_ttl(stream, context)
    clock = await ServerClock.read(stream)
    if expires_at is not None:
        seconds = ttl.seconds_until(expires_at, clock.now())
    assert seconds is not None
    seconds = ttl.limit_to_bucket_age(seconds, stream.config.get("max_age") or 0)
    return Expiry(context, seconds, expires_at, clock.now)
