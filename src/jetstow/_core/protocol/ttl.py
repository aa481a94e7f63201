"""Objects that expire: message TTL (ADR-43, server 2.11).

The TTL of a name starts when its metadata is published. Chunks are published before and get a
longer TTL, so that no name refers to expired chunks. The metadata also contains the expiry time,
for listings, `update_meta` and copies: these do not restart the TTL.

All times are those of the server's clock (docs/decisions/0028).
"""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from jetstow._core.protocol.duration import seconds
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers
from jetstow._headers import EXPIRES_HEADER
from jetstow.errors import InvalidOptionError, ServerError
from jetstow.models import ObjectMeta

TTL_HEADER: Final = "Nats-TTL"

# The bytes that the header adds to a chunk.
TTL_HEADER_SIZE: Final = 32

# How much longer than their object chunks live, in seconds. An upload that takes longer reduces the
# TTL of its object by the rest.
_CHUNK_MARGIN: Final = 900

_MAX_TTL: Final = 100 * 365 * 86_400


def check_ttl(context: ErrorContext, ttl: object) -> int | None:
    """Return a TTL in whole seconds, rounded up, as the server needs it.

    Raises: `InvalidOptionError` (not a number between 0 and a hundred years).
    """
    if ttl is None:
        return None
    ttl = seconds(ttl)
    if not isinstance(ttl, int | float) or isinstance(ttl, bool) or not 0 < ttl <= _MAX_TTL:
        raise context.error(
            InvalidOptionError,
            f"ttl of {context} must be seconds or a timedelta, more than 0 and at most a hundred "
            f"years, not {ttl!r}",
        )
    return math.ceil(ttl)


def limit_to_bucket_age(ttl: int, max_age: int) -> int:
    """Return a TTL in seconds, limited to the bucket's `max_age` in nanoseconds (0: no limit)."""
    return min(ttl, max(1, max_age // 10**9)) if max_age else ttl


class Expiry:
    """The expiry of a new object: `ttl` seconds after its name is published, or at `until`.

    `now` returns the server's time.
    """

    def __init__(
        self,
        context: ErrorContext,
        ttl: int,
        until: datetime.datetime | None,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._now = now
        self._context = context
        self._ttl = ttl
        self._until = until
        self._started = time.monotonic()

    @property
    def chunk_headers(self) -> dict[str, str]:
        """The headers with which a chunk outlives the object."""
        return {TTL_HEADER: f"{self._ttl + _CHUNK_MARGIN}s"}

    def add_to(self, meta: ObjectMeta) -> ObjectMeta:
        """Return metadata with the expiry time of an object that is published now.

        Raises: `ServerError` (the chunks would expire before the name).
        """
        elapsed = math.ceil(time.monotonic() - self._started)
        remaining = min(self._ttl, self._ttl + _CHUNK_MARGIN - elapsed)
        if remaining < 1:
            raise self._context.error(
                ServerError,
                f"the upload of {self._context} took {elapsed} s: with a ttl of {self._ttl} s its "
                "first chunks expire before its last chunk is stored",
            )
        expires = self._now() + datetime.timedelta(seconds=remaining)
        if self._until is not None:
            expires = min(expires, self._until)
        expiry = {EXPIRES_HEADER: format_expiry(expires)}
        return replace(meta, headers=joined_headers(meta.headers, expiry))


def format_expiry(expires: datetime.datetime) -> str:
    """Return an expiry time as metadata contains it: RFC 3339 in UTC, whole seconds."""
    return expires.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_until(expires: datetime.datetime, now: datetime.datetime) -> int:
    """Return the seconds until a time, at least 1."""
    return max(1, math.ceil((expires - now).total_seconds()))


def metadata_ttl_headers(expires: datetime.datetime, now: datetime.datetime) -> dict[str, str]:
    """Return the headers of a metadata message that expires with its object."""
    return {TTL_HEADER: f"{seconds_until(expires, now)}s"}
