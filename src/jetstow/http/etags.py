"""Entity tags (RFC 9110, section 8.8.3)."""

from __future__ import annotations

import re
from typing import Final

from jetstow.models import ObjectInfo

# An entity tag, or a token without quotes: some S3 clients send those.
_TAG: Final = re.compile(
    r'(?:^|,)[ \t]*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)"|([^\s",]+))[ \t]*(?=,|$)'
)


def entity_tag(info: ObjectInfo) -> str:
    """Return a strong entity tag of an object: its digest, or its NUID if it has no digest.

    Equal bytes have equal tags, in each bucket. A revision would be ambiguous: it can repeat after
    a bucket is deleted and created again.
    """
    return f'"{info.sha256 or info.nuid}"'


def matches_strongly(condition: str, etag: str) -> bool:
    """Return whether the value of If-Match selects a representation. Weak tags never do."""
    return condition.strip() == "*" or (not _is_weak(etag) and etag in _strong_tags(condition))


def matches_weakly(condition: str, etag: str) -> bool:
    """Return whether the value of If-None-Match selects a representation."""
    return condition.strip() == "*" or _opaque(etag) in {_opaque(tag) for tag in _tags(condition)}


def _strong_tags(condition: str) -> list[str]:
    return [tag for tag in _tags(condition) if not _is_weak(tag)]


def _tags(condition: str) -> list[str]:
    return [
        f'{weak}"{quoted}"' if not token else f'"{token}"'
        for weak, quoted, token in _TAG.findall(condition)
    ]


def _is_weak(tag: str) -> bool:
    return tag.startswith("W/")


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")
