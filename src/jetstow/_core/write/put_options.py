"""The options of a put."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final, Self

import msgspec
from nats.js import api

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.digest import Digest, format_digest, parse_digest
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import check_meta
from jetstow._headers import CONTENT_TYPE_HEADER, TAGS_HEADER, ObjectHeaders, header_values
from jetstow.errors import DigestMismatchError, InvalidOptionError, LinkError
from jetstow.models import ObjectMeta
from jetstow.types import Duration

_HEX_DIGEST: Final = re.compile("[0-9a-fA-F]{64}")


class PutOptions(msgspec.Struct, frozen=True):
    """The options of a put. `expires_at` takes precedence over `ttl`.

    `expected_digest` has the 32 bytes of a SHA-256 digest. `computes_digest` is whether the digest
    of the plaintext is needed, even if none is expected. `dated` is whether the result has the time
    of the write.
    """

    meta: api.ObjectMeta | None = None
    expected_revision: int | None = None
    ttl: Duration | None = None
    expires_at: datetime.datetime | None = None
    expected_digest: bytes | None = None
    keep_replaced: bool = False
    computes_digest: bool = False
    dated: bool = True

    @classmethod
    def parse(
        cls,
        context: ErrorContext,
        meta: api.ObjectMeta | None,
        *,
        description: str | None,
        content_type: str | None,
        tags: Iterable[str] | None,
        headers: Mapping[str, str | Sequence[str]] | None,
        metadata: Mapping[str, str] | None,
        expected_revision: int | None,
        ttl: Duration | None,
        expected_digest: str | None,
        keep_replaced: bool,
        dated: bool = True,
    ) -> Self:
        """Return the options for the arguments of `put`.

        Raises: `InvalidOptionError` (a field is in `meta` and given as an argument, too; the
        expected digest is not a SHA-256 digest).
        """
        has_fields = not (description is content_type is tags is headers is metadata is None)
        if has_fields and isinstance(meta, api.ObjectMeta | None):  # the put refuses other types
            given = {
                "description": description,
                "content_type": content_type,
                "tags": None if tags is None else _as_list(tags),
                "headers": headers,
                "metadata": None if metadata is None else _as_dict(metadata),
            }
            given = {name: value for name, value in given.items() if value is not None}
            meta = _merge(context, meta, given)
        digest = None if expected_digest is None else _parse_digest(context, expected_digest)
        return cls(meta, expected_revision, ttl, None, digest, keep_replaced, dated=dated)


def _parse_digest(context: ErrorContext, digest: object) -> bytes:
    """Return the bytes of a digest, which has the form of `info.digest` or of `info.sha256`."""
    text = digest if isinstance(digest, str) else ""
    raw = bytes.fromhex(text) if _HEX_DIGEST.fullmatch(text) else parse_digest(text)
    if raw is None:
        raise context.error(
            InvalidOptionError,
            f"expected_digest of {context} must be a SHA-256 digest, as info.digest or info.sha256 "
            f"has it, not {digest!r}",
        )
    return raw


def _as_list(value: object) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return list(value)
    return value


def _as_dict(value: object) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _merge(context: ErrorContext, meta: api.ObjectMeta | None, given: dict[str, Any]) -> ObjectMeta:
    known = {} if meta is None else {
        field.name: getattr(meta, field.name, None) for field in fields(ObjectMeta)
    }  # fmt: skip
    for name in given:
        if known.get(name) is not None:
            raise context.error(
                InvalidOptionError,
                f"{name} of {context} is given twice: in meta, and as an argument",
            )
    return ObjectMeta(**(known | given))


def check_put_meta(
    stream: Stream, context: ErrorContext, meta: api.ObjectMeta | None
) -> ObjectMeta:
    """Return a validated copy of a user's metadata.

    Raises: `InvalidOptionError`, `LinkError`.
    """
    checked = check_meta(
        stream.bucket, context.name or "", meta, allow_reserved_headers=stream.is_as_stored
    )
    if checked.options is not None and checked.options.link is not None:
        raise context.error(
            LinkError, f"{context} cannot be put as a link: use add_link or add_bucket_link"
        )
    return checked


def check_changed_meta(
    stream: Stream, context: ErrorContext, meta: api.ObjectMeta | None
) -> ObjectMeta:
    """Return a validated copy of the metadata of an object that is being written.

    Raises: `InvalidOptionError` (it has another name), and what `check_put_meta` raises.
    """
    checked = check_put_meta(stream, context, meta)
    if meta is not None and meta.name not in {None, context.name}:
        raise context.error(
            InvalidOptionError, f"{context} cannot get the name {meta.name!r}: use rename"
        )
    return checked


def editable_meta(meta: ObjectMeta) -> ObjectMeta:
    """Return a copy of checked metadata with `content_type` and `tags` as fields."""
    fields = {CONTENT_TYPE_HEADER.lower(), TAGS_HEADER.lower()}
    headers = ObjectHeaders(
        (name, value) for name, value in (meta.headers or {}).items() if name.lower() not in fields
    )
    return replace(
        meta,
        headers=headers or None,
        metadata=dict(meta.metadata) if meta.metadata is not None else None,
        content_type=next(iter(header_values(meta.headers, CONTENT_TYPE_HEADER)), None),
        tags=header_values(meta.headers, TAGS_HEADER) or None,
    )


def check_expected_digest(context: ErrorContext, digest: Digest, expected: bytes | None) -> None:
    """Raise `DigestMismatchError` unless the bytes of a put have the expected digest, if any."""
    if expected is not None and digest.raw() != expected:
        raise context.error(
            DigestMismatchError,
            f"{context} was not stored: the digest of its bytes is {digest}, but "
            f"{format_digest(expected)} was expected",
        )
