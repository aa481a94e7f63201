"""Parsers of arguments and options: addresses, sizes, times, keys, key-value pairs."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from jetstow._core.protocol.file_names import has_control_character
from jetstow._credentials import read_credentials
from jetstow.cli.errors import UsageError

KEY_SIZE: Final = 32


# -- addresses ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """`bucket/name`. The name may contain slashes; it is empty for a bucket."""

    bucket: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.bucket}/{self.name}" if self.name else self.bucket

    @property
    def basename(self) -> str:
        """The name after its last slash; empty if a file cannot have that name."""
        last = self.name.rpartition("/")[2]
        return "" if last in {".", ".."} or "\0" in last else last

    @property
    def file_name(self) -> str:
        """The default name of a file for this object; empty if there is none.

        A basename with control characters is refused: any program that lists the folder would
        write them to its terminal.
        """
        return "" if has_control_character(self.basename) else self.basename

    @property
    def is_folder(self) -> bool:
        """Whether objects can be put into it: a bucket, or `bucket/folder/`."""
        return not self.name or self.name.endswith("/")

    @property
    def is_pattern(self) -> bool:
        """Whether the name has characters of a glob pattern."""
        return any(char in self.name for char in "*?[")

    def join(self, name: str) -> Address:
        """Return the address of `name` in this folder; this address if it is not a folder."""
        return replace(self, name=self.name + name) if self.is_folder else self


URL_SCHEME: Final = "jetstow://"

_OTHER_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE | re.ASCII)


def address(text: str) -> Address:
    """Parse `bucket` or `bucket/name`, or the same as a URL: `jetstow://bucket/name`."""
    path = text.removeprefix(URL_SCHEME)
    if path == text and _OTHER_SCHEME.match(text):
        raise UsageError(f"{text!r} is not a bucket of NATS: use BUCKET/NAME")
    bucket, _, name = path.partition("/")
    if not bucket:
        raise UsageError(f"{text!r} does not start with a bucket: use BUCKET/NAME")
    if bucket in {".", ".."}:
        raise UsageError(f"{text!r} is a file or folder: use BUCKET/NAME")
    return Address(bucket, name)


def object_address(text: str) -> Address:
    """Parse `bucket/name`."""
    parsed = address(text)
    if not parsed.name:
        raise UsageError(f"{text!r} names no object: use BUCKET/NAME")
    return parsed


def bucket_name(text: str) -> str:
    """Parse `bucket`, or `bucket/` as a shell completes it."""
    parsed = address(text)
    if parsed.name:
        raise UsageError(f"{text!r} names no bucket: use BUCKET")
    return parsed.bucket


# -- numbers, sizes, times ---------------------------------------------------------------

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) *([kmgt]?)(i?)(b?)", re.IGNORECASE | re.ASCII)


def size(text: str) -> int:
    """Parse bytes: 1000, 512K (= 512KiB), 1.5M, 10GB (10^10)."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[3] and not match[2]):
        raise UsageError(f"{text!r} is not a size: use bytes, or 512K, 1.5M, 10GiB")
    base = 1000 if match[2] and match[4] and not match[3] else 1024
    return int(float(match[1]) * base ** " kmgt".index(match[2].lower() or " "))


_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def duration(text: str) -> float:
    """Parse seconds: 90, 12h, 30d, 1h30m."""
    text = text.strip().lower()
    parts = _DURATION_PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    raise UsageError(f"{text!r} is not a time: use seconds, or 12h, 30d, 1h30m")


def timeout(text: str) -> float:
    """Parse the seconds of a timeout, which is longer than 0."""
    if seconds := duration(text):
        return seconds
    raise UsageError(f"{text!r} is not a timeout: use 500ms or 10s")


def age(text: str) -> datetime.timedelta | datetime.datetime:
    """Parse an age, 12h or 30d, or a date, 2026-01-31 or 2026-01-31T12:00."""
    try:
        date = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            return datetime.timedelta(seconds=duration(text))
        except (UsageError, OverflowError):
            raise UsageError(f"{text!r} is not a time: use 12h, 30d or 2026-01-31") from None
    return date if date.tzinfo is not None else date.astimezone()


def whole_number(text: str) -> int:
    """Parse a number, 0 or more."""
    if not re.fullmatch(r"\d{1,18}", text.strip(), re.ASCII):
        raise UsageError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


# -- other values ------------------------------------------------------------------------

_HEX_KEY: Final = re.compile(rb"[0-9a-fA-F]{64}\s*")


def key_file(path: str) -> bytes:
    """Read a key from a file: 64 hexadecimal digits, as keygen writes them, or 32 bytes.

    Raises: `OSError`, `UsageError` (the file does not contain a key).
    """
    content = read_credentials(path)
    if _HEX_KEY.fullmatch(content):
        return bytes.fromhex(content.decode())
    if len(content) != KEY_SIZE:
        raise UsageError(f"{path!r} does not contain a key: create one with jetstow keygen")
    return content


def server_url(text: str) -> str:
    """Parse a server address. An empty one comes from a script's empty variable: an error."""
    if not text.strip():
        raise UsageError("--server is empty")
    return text.strip()


def key_values(option: str, pairs: Iterable[str] | None) -> dict[str, str] | None:
    """Parse KEY=VALUE pairs; the last value of a key counts."""
    lists = key_value_lists(option, pairs)
    return None if lists is None else {key: values[-1] for key, values in lists.items()}


def key_value_lists(option: str, pairs: Iterable[str] | None) -> dict[str, list[str]] | None:
    """Parse KEY=VALUE pairs, with all values of each key."""
    lists: dict[str, list[str]] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"{option} takes KEY=VALUE, not {pair!r}")
        lists.setdefault(key, []).append(value)
    return lists or None
