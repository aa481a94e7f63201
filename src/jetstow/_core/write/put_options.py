"""The options of a put."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from nats.js import api

from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import InvalidOptionError
from jetstow.models import ObjectMeta
from jetstow.types import Duration


@dataclass(frozen=True, slots=True)
class PutOptions:
    """The options of a put. `expires_at` takes precedence over `ttl`."""

    meta: api.ObjectMeta | None = None
    expected_revision: int | None = None
    ttl: Duration | None = None
    expires_at: datetime.datetime | None = None

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
    ) -> Self:
        """Return the options for the arguments of `put`.

        Raises: `InvalidOptionError` (a field is in `meta` and given as an argument, too).
        """
        given = {
            "description": description,
            "content_type": content_type,
            "tags": _as_list(tags),
            "headers": headers,
            "metadata": dict(metadata) if isinstance(metadata, Mapping) else metadata,
        }
        return cls(_merge(context, meta, given), expected_revision, ttl)


def _as_list(value: object) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return list(value)
    return value


def _merge(
    context: ErrorContext, meta: api.ObjectMeta | None, given: dict[str, Any]
) -> api.ObjectMeta | None:
    given = {name: value for name, value in given.items() if value is not None}
    if not given or not isinstance(meta, api.ObjectMeta | None):
        return meta  # the put refuses other types
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
