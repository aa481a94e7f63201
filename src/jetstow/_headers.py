"""Object headers as a mapping, and the names of those that have a meaning for jetstow."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, overload

T = TypeVar("T")

# The headers that jetstow reads. Users cannot set the headers that begin with "Jetstow-".
CONTENT_TYPE_HEADER: Final = "Content-Type"
TAGS_HEADER: Final = "Tags"
EXPIRES_HEADER: Final = "Jetstow-Expires"
ENCRYPTION_HEADER: Final = "Jetstow-Encryption"
LINK_TAG_HEADER: Final = "Jetstow-Link-Tag"
VERSION_HEADER: Final = "Jetstow-Version"


class ObjectHeaders(dict[str, str | list[str]]):
    """The headers of an object: a dict in which `headers[name]` is the first value of a header.

    `get_all` returns all values. The items, and so JSON and copies, have a string for one value
    and a list for several: nothing is lost. Names are case-sensitive.

    Headers equal a mapping of names to strings or lists. A string is compared with
    `headers[name]`, a list with all values. Like a dict, they can be changed and are not hashable.
    """

    __slots__ = ()

    def __init__(
        self,
        headers: Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str | Sequence[str]]] = (),
    ) -> None:
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        for name, value in pairs:
            if isinstance(value, str):
                self[name] = value
            else:
                self[name] = value[0] if len(value) == 1 else list(value)

    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        return value if isinstance(value, str) else value[0] if value else ""

    @overload  # type: ignore[override]  # a dict's values are what `get` returns
    def get(self, name: str, default: None = None) -> str | None: ...

    @overload
    def get(self, name: str, default: str) -> str: ...

    @overload
    def get(self, name: str, default: T) -> str | T: ...

    def get(self, name: str, default: object = None) -> object:
        """Return the first value of a header, or the default if there is no such header."""
        try:
            return self[name]
        except KeyError:
            return default

    def get_all(self, name: str) -> list[str]:
        """Return all values of a header; an empty list if there is no such header."""
        value = super().get(name, [])
        return [value] if isinstance(value, str) else list(value)

    def to_lists(self) -> dict[str, list[str]]:
        """Return a dict of all values, with a list for each name."""
        return {name: self.get_all(name) for name in self}

    def copy(self) -> ObjectHeaders:
        """Return a copy."""
        return ObjectHeaders(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ObjectHeaders):
            return self.to_lists() == other.to_lists()
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.keys() == other.keys() and all(
            self.get_all(name) == list(value) if isinstance(value, list | tuple)
            else self[name] == value
            for name, value in other.items()
        )  # fmt: skip

    def __ne__(self, other: object) -> bool:
        # dict has its own `__ne__`, which does not call `__eq__`.
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return f"ObjectHeaders({dict(self.items())!r})"


def is_reserved_header(name: str) -> bool:
    """Return whether a header begins with "Jetstow-", in any case: users cannot set it."""
    return name.lower().startswith("jetstow-")


def header_values(headers: dict[str, Any] | None, name: str) -> list[str]:
    """Return the values of a header. Its name is compared without regard to case."""
    if not headers:
        return []
    if name not in headers:
        name = next((key for key in headers if key.lower() == name.lower()), name)
    known = headers if isinstance(headers, ObjectHeaders) else ObjectHeaders(headers)
    return known.get_all(name)


def expiry_from_headers(headers: dict[str, Any] | None) -> datetime.datetime | None:
    """Return the expiry time in the headers; None if there is none or it is not ISO 8601."""
    if not (values := header_values(headers, EXPIRES_HEADER)):
        return None
    try:
        time = datetime.datetime.fromisoformat(values[0])
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=datetime.UTC)
