"""Conditions of requests that write: a revision that NATS compares when it commits the write.

So they hold when several clients write at the same time. Conditions of reads are in `jetstow.http`,
and `check_source` applies those to the source of a copy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from jetstow import ObjectStore
from jetstow.errors import (
    ObjectAlreadyExists,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from jetstow.http.dates import parse_date
from jetstow.http.preconditions import failed_precondition
from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.errors import S3Error

MATCH_SIZE: Final = "x-amz-if-match-size"
MATCH_TIME: Final = "x-amz-if-match-last-modified-time"

_SOURCE: Final = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


@dataclass(frozen=True, slots=True)
class WriteConditions:
    """What must be true of the current object, so that a request replaces or deletes it.

    `if_match` and `if_none_match` are an ETag, or `*` for any object. `size` and the times are as
    the request has them. `max_revision` is of the web console: the object was not changed after it.
    """

    if_match: str | None = None
    if_none_match: str | None = None
    size: str | None = None
    modified: str | None = None
    modified_since: str | None = None
    unmodified_since: str | None = None
    max_revision: int | None = None

    def __bool__(self) -> bool:
        return self != NO_CONDITIONS

    def check(self, info: ObjectInfo | None) -> None:
        """Check the current object; None if there is none.

        Raises: `S3Error` (PreconditionFailed; NoSuchKey: there is no object to match).
        """
        if self.if_match is not None:
            if info is None:
                raise S3Error("NoSuchKey")
            if not etag_matches(self.if_match, objects.etag(info)):
                raise failed("If-Match")
        if info is None:
            if self.modified_since is not None:
                raise failed("If-Modified-Since")
            return
        self._check_dates(info)
        if self.if_none_match is not None and etag_matches(self.if_none_match, objects.etag(info)):
            raise failed("If-None-Match")
        if self.size is not None and self.size != str(info.size or 0):
            raise failed(MATCH_SIZE)
        if self.modified is not None and not _is_time_of(self.modified, info):
            raise failed(MATCH_TIME)
        if self.max_revision is not None and info.revision > self.max_revision:
            raise failed("revision")

    def _check_dates(self, info: ObjectInfo) -> None:
        dates = {
            "if-modified-since": self.modified_since or "",
            "if-unmodified-since": self.unmodified_since or "",
        }
        modified = objects.modified_time(info)
        status = failed_precondition(dates, etag=objects.etag(info), modified=modified)
        if status == HTTPStatus.PRECONDITION_FAILED:
            raise failed("If-Unmodified-Since")
        if status == HTTPStatus.NOT_MODIFIED:
            raise failed("If-Modified-Since")

    async def revision(self, store: ObjectStore, key: str) -> int | None:
        """Return the revision that the conditions allow to replace; None if there are none.

        Raises: `S3Error` (PreconditionFailed, NoSuchKey).
        """
        if not self:
            return None
        if self == ONLY_NEW:
            return 0
        info = await find_info(store, key)
        self.check(info)
        return 0 if info is None else info.revision


NO_CONDITIONS: Final = WriteConditions()
ONLY_NEW: Final = WriteConditions(if_none_match="*")


def put_conditions(headers: Mapping[str, str]) -> WriteConditions:
    """Return the conditions of a request that stores an object."""
    return WriteConditions(headers.get("if-match"), headers.get("if-none-match"))


def rename_conditions(headers: Mapping[str, str]) -> WriteConditions:
    """Return the conditions of a RenameObject for its destination.

    If there is an ETag, the date is ignored (RFC 9110, section 13.1).
    """
    return replace(
        put_conditions(headers),
        modified_since=None if "if-none-match" in headers else headers.get("if-modified-since"),
        unmodified_since=None if "if-match" in headers else headers.get("if-unmodified-since"),
    )


def delete_conditions(headers: Mapping[str, str]) -> WriteConditions:
    """Return the conditions of a DELETE. Raises: `S3Error` (NotImplemented)."""
    if "if-none-match" in headers:
        raise S3Error(
            "NotImplemented", "A DELETE cannot have If-None-Match.", Header="If-None-Match"
        )
    return WriteConditions(
        headers.get("if-match"), size=headers.get(MATCH_SIZE), modified=headers.get(MATCH_TIME)
    )


@asynccontextmanager
async def expected_revision(
    store: ObjectStore, key: str, conditions: WriteConditions
) -> AsyncIterator[int | None]:
    """Yield the revision that a write must expect. It fails if the object changes until then.

    Raises: `S3Error` (PreconditionFailed, NoSuchKey; ConditionalRequestConflict: the object was
    changed, and the conditions hold for the new one, so that the client may send it again).
    """
    revision = await conditions.revision(store, key)
    try:
        yield revision
    except (ObjectAlreadyExists, RevisionMismatchError):
        if conditions:
            conditions.check(await find_info(store, key))
        raise S3Error("ConditionalRequestConflict") from None


async def find_info(store: ObjectStore, key: str) -> ObjectInfo | None:
    """Return the metadata of an object, or None if there is none."""
    try:
        return await store.get_info(key)
    except ObjectNotFoundError:
        return None


def check_source(headers: Mapping[str, str], prefix: str, info: ObjectInfo) -> None:
    """Check the conditions of a copy's source: headers of a prefix, such as `x-amz-copy-source-`.

    Raises: `S3Error` (PreconditionFailed).
    """
    conditions = {
        name: value for name in _SOURCE if (value := headers.get(prefix + name)) is not None
    }
    modified = objects.modified_time(info)
    status = failed_precondition(conditions, etag=objects.etag(info), modified=modified)
    if status is not None:
        names = _SOURCE[:1] + _SOURCE[3:]
        if status == HTTPStatus.NOT_MODIFIED:
            names = _SOURCE[1:3]
        raise failed(prefix + next(name for name in names if name in conditions))


def failed(condition: str) -> S3Error:
    """Return the error of a condition that does not hold."""
    return S3Error("PreconditionFailed", Condition=condition)


def etag_matches(condition: str, etag: str) -> bool:
    """Return whether a condition of a write names an ETag. S3 accepts it without quotes, too."""
    if condition.strip() == "*":
        return True
    return etag.strip('"') in {tag.strip().strip('"') for tag in condition.split(",")}


def _is_time_of(text: str, info: ObjectInfo) -> bool:
    time = parse_date(text)
    modified = objects.modified_time(info)
    return time is not None and modified is not None and time == modified.replace(microsecond=0)
