"""Tags of objects and buckets: the header, the XML document, and the form that is stored."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from jetstow.s3.errors import S3Error
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, element, text

# In headers, and as a field of forms that has the XML document.
TAGGING: Final = "x-amz-tagging"

# S3's limits: tags of an object and of a bucket, and characters of a key and of a value.
MAX_OBJECT_TAGS: Final = 10
MAX_BUCKET_TAGS: Final = 50
_MAX_KEY: Final = 128
_MAX_VALUE: Final = 256
_RESERVED: Final = "aws:"
_PUNCTUATION: Final = frozenset("_.:/=+-@")


def parse_tag_header(value: str) -> dict[str, str]:
    """Return the tags of `a=1&b=2`, url-encoded.

    Raises: `S3Error` (InvalidArgument, InvalidTag).
    """
    try:
        pairs = parse_qsl(value, keep_blank_values=True, errors="strict") if value else []
    except ValueError:
        pairs = []
    if value and (not pairs or len(dict(pairs)) < len(pairs)):
        message = (
            f"The header '{TAGGING}' shall be encoded as UTF-8 then URLEncoded URL query "
            "parameters without tag name duplicates."
        )
        raise S3Error("InvalidArgument", message, ArgumentName=TAGGING, ArgumentValue=value)
    return check_tags(pairs, MAX_OBJECT_TAGS)


def parse_tag_document(data: bytes, limit: int) -> dict[str, str]:
    """Return the tags of a `Tagging` document.

    Raises: `S3Error` (MalformedXML, InvalidTag).
    """
    root = parse_xml(data, "Tagging")
    sets = list(root.children("TagSet"))
    if len(sets) != 1:
        raise S3Error("MalformedXML")
    return parse_tag_nodes(sets[0].children(), limit)


def parse_tag_nodes(nodes: Iterable[Node], limit: int) -> dict[str, str]:
    """Return the tags of `Tag` elements. Raises: `S3Error` (MalformedXML, InvalidTag)."""
    pairs = []
    for tag in nodes:
        key, value = tag.raw_value("Key"), tag.raw_value("Value")
        if tag.name != "Tag" or key is None or value is None:
            raise S3Error("MalformedXML")
        pairs.append((key, value))
    return check_tags(pairs, limit)


def check_tags(pairs: Iterable[tuple[str, str]], limit: int) -> dict[str, str]:
    """Check tags by S3's rules. Raises: `S3Error` (InvalidTag)."""
    tags: dict[str, str] = {}
    for key, value in pairs:
        if not key or len(key) > _MAX_KEY or not _has_valid_characters(key):
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > _MAX_VALUE or not _has_valid_characters(value):
            raise S3Error(
                "InvalidTag",
                "The TagValue you have provided is invalid",
                TagKey=key,
                TagValue=value,
            )
        if key.lower().startswith(_RESERVED):
            raise S3Error("InvalidTag", "System tags cannot be added/updated by requester")
        if key in tags:
            message = "Cannot provide multiple Tags with the same key"
            raise S3Error("InvalidTag", message, TagKey=key)
        tags[key] = value
    if len(tags) > limit:
        raise S3Error("InvalidTag", f"There cannot be more than {limit} tags.")
    return tags


def _has_valid_characters(value: str) -> bool:
    """Return whether text consists of letters, digits, blanks and some punctuation."""
    return all(
        character in _PUNCTUATION or unicodedata.category(character)[0] in "LMNZ"
        for character in value
    )


def format_tags(tags: dict[str, str]) -> str:
    """Return tags as they are stored: as in the header."""
    return urlencode(tags, quote_via=quote)


def load_tags(stored: str) -> dict[str, str]:
    """Return stored tags."""
    return dict(parse_qsl(stored, keep_blank_values=True))


def tag_document(tags: dict[str, str]) -> str:
    """Return the `Tagging` document, sorted by key: clients compare it with what they have set."""
    entries = (element("Tag", text("Key", k), text("Value", v)) for k, v in sorted(tags.items()))
    return document("Tagging", element("TagSet", *entries))
