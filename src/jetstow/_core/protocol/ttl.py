"""Objects that expire by themselves (message TTL, ADR-43, server 2.11).

The name goes first: its time is counted from when it is given, while chunks, which are stored
before it, live for a while longer. So nobody finds a name whose chunks are gone. When the
object expires is also written into its metadata, for those who list it, describe it anew or
copy it; its time does not begin again then.
"""

from __future__ import annotations

import datetime
import math
import time
from dataclasses import replace
from typing import Final

from jetstow._core.protocol.context import ErrorContext
from jetstow.errors import InvalidOptionError, ServerError
from jetstow.models import EXPIRES, ObjectInfo, ObjectMeta

TTL_HEADER: Final = "Nats-TTL"

# What the header adds to a chunk, in bytes.
TTL_HEADER_SIZE: Final = 32

# How long chunks live beyond their object, in seconds. An upload that takes longer than this
# takes the rest from the object's own time.
_CHUNK_MARGIN: Final = 900

_MAX_TTL: Final = 100 * 365 * 86_400


def check_ttl(context: ErrorContext, ttl: object) -> int | None:
    """Seconds to live, as the server counts them: whole ones. Raises `InvalidOptionError`."""
    if ttl is None:
        return None
    if not isinstance(ttl, int | float) or isinstance(ttl, bool) or not 0 < ttl <= _MAX_TTL:
        raise context.error(
            InvalidOptionError,
            f"ttl of {context} must be seconds, more than 0 and at most a hundred years, "
            f"not {ttl!r}",
        )
    return math.ceil(ttl)


def limit_to_bucket_age(ttl: int, longest: int) -> int:
    """Nothing outlives what its bucket grants to all, in nanoseconds; 0 is for ever."""
    return min(ttl, max(1, longest // 10**9)) if longest else ttl


class Expiry:
    """The time that one object has: so many seconds once it has its name, or until a moment."""

    def __init__(
        self, context: ErrorContext, ttl: int, until: datetime.datetime | None = None
    ) -> None:
        self._context = context
        self._ttl = ttl
        self._until = until
        self._began = time.monotonic()

    @property
    def chunk_headers(self) -> dict[str, str]:
        """What lets a chunk that is stored now outlive the object."""
        return {TTL_HEADER: f"{self._ttl + _CHUNK_MARGIN}s"}

    def stamp(self, meta: ObjectMeta) -> ObjectMeta:
        """The metadata, with the moment at which the object will be gone.

        Raises `ServerError` where its chunks would be gone before its name.
        """
        left = min(self._ttl, self._ttl + _CHUNK_MARGIN - math.ceil(time.monotonic() - self._began))
        if left < 1:
            raise self._context.error(
                ServerError,
                f"the upload of {self._context} took longer than the {self._ttl} s that it "
                "should live",
            )
        moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=left)
        if self._until is not None:
            moment = min(moment, self._until)
        return replace(meta, headers=(meta.headers or {}) | {EXPIRES: [format_expiry(moment)]})


def format_expiry(moment: datetime.datetime) -> str:
    """A moment as metadata carries it: RFC 3339, in UTC and whole seconds."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_until(moment: datetime.datetime) -> int:
    """The seconds until a moment, at least 1."""
    rest = moment - datetime.datetime.now(datetime.UTC)
    return max(1, math.ceil(rest.total_seconds()))


def metadata_headers(info: ObjectInfo) -> dict[str, str]:
    """What lets an object's name end with it, whoever writes it now."""
    moment = None if info.deleted else info.expires
    return {} if moment is None else {TTL_HEADER: f"{seconds_until(moment)}s"}
