"""What users type for objects, sizes, times and notes, and what it stands for."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jetstow.cli.errors import WrongUsage

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Address:
    """`bucket/name`. The name may have slashes; it is empty where a bucket alone is meant."""

    bucket: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.bucket}/{self.name}" if self.name else self.bucket

    @property
    def base(self) -> str:
        """The last part of the name; empty if that could not be a file's name."""
        last = self.name.rpartition("/")[2]
        return "" if last in {".", ".."} or "\0" in last else last

    @property
    def file_name(self) -> str:
        """The file to write where none is named; empty if there can be none.

        A name with control characters is for nobody's folder: it would write to the terminal
        of everybody who lists it.
        """
        return "" if _CONTROL.search(self.base) else self.base

    @property
    def is_place(self) -> bool:
        """Whether it stands for a place where objects can be: a bucket, or `bucket/folder/`."""
        return not self.name or self.name.endswith("/")

    def under(self, base: str) -> Address:
        """This address, with `base` added if it is a place."""
        return replace(self, name=self.name + base) if self.is_place else self


def address(text: str) -> Address:
    """`bucket` or `bucket/name`."""
    bucket, _, name = text.partition("/")
    if not bucket:
        raise WrongUsage(f"{text!r} begins with no bucket: write BUCKET/NAME")
    return Address(bucket, name)


def object_address(text: str) -> Address:
    """`bucket/name`."""
    found = address(text)
    if not found.name:
        raise WrongUsage(f"{text!r} names no object: write BUCKET/NAME")
    return found


def bucket_name(text: str) -> str:
    """`bucket`, or `bucket/` as a shell may have completed it."""
    found = address(text)
    if found.name:
        raise WrongUsage(f"{text!r} is an object's address: write BUCKET")
    return found.bucket


_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) *([kmgt]?)(i?)(b?)", re.IGNORECASE | re.ASCII)


def size(text: str) -> int:
    """Bytes: 1000, 512K (= 512KiB), 1.5M, 10GB (of a thousand each)."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or (found[3] and not found[2]):
        raise WrongUsage(f"{text!r} is no size: write bytes, or 512K, 1.5M, 10GiB")
    thousand = 1000 if found[2] and found[4] and not found[3] else 1024
    return int(float(found[1]) * thousand ** " kmgt".index(found[2].lower() or " "))


_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def duration(text: str) -> float:
    """Seconds: 90, 12h, 30d, 1h30m."""
    text = text.strip().lower()
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    raise WrongUsage(f"{text!r} is no time: write seconds, or 12h, 30d, 1h30m")


def age(text: str) -> datetime.timedelta | datetime.datetime:
    """An age, 12h or 30d, or a moment, 2026-01-31 or 2026-01-31T12:00."""
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            return datetime.timedelta(seconds=duration(text))
        except (WrongUsage, OverflowError):
            raise WrongUsage(f"{text!r} is no time: write 12h, 30d or 2026-01-31") from None
    return moment if moment.tzinfo is not None else moment.astimezone()


KEY_SIZE: Final = 32

_HEX_KEY: Final = re.compile(rb"[0-9a-fA-F]{64}\s*")


def key(path: str) -> bytes:
    """The key in a file: 64 hexadecimal digits, as keygen writes them, or 32 bytes."""
    found = Path(path).read_bytes()
    if _HEX_KEY.fullmatch(found):
        return bytes.fromhex(found.decode())
    if len(found) != KEY_SIZE:
        raise WrongUsage(f"{path!r} has no key: jetstow keygen makes one")
    return found


def server(text: str) -> str:
    """An address. An empty one is a script's empty variable, and no choice."""
    if not text.strip():
        raise WrongUsage("--server names no server: it is empty")
    return text.strip()


def whole(text: str) -> int:
    """A number, 0 or more."""
    if not re.fullmatch(r"\d{1,18}", text.strip(), re.ASCII):
        raise WrongUsage(f"{text!r} is no whole number, 0 or more")
    return int(text)


def notes(option: str, pairs: Iterable[str] | None) -> dict[str, str] | None:
    """`key=value` pairs; the last of a key counts."""
    listed = lists(option, pairs)
    return None if listed is None else {key: values[-1] for key, values in listed.items()}


def lists(option: str, pairs: Iterable[str] | None) -> dict[str, list[str]] | None:
    """`key=value` pairs, all values of a key."""
    found: dict[str, list[str]] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise WrongUsage(f"{option} takes KEY=VALUE, not {pair!r}")
        found.setdefault(key, []).append(value)
    return found or None
