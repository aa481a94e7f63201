"""The header of an encrypted object, and the header of a link that was created with a key.

    Jetstow-Encryption: AES-256-GCM; chunk=131072; size=10; salt=...; tag=...
    Jetstow-Link-Tag: ...

The tag authenticates the bucket, the name and the other values. So sizes in listings are those that
were encrypted, ranges need no preamble, and a rename moves no bytes: it writes another tag. If
another client drops or changes the header, the preamble in the bytes has the same values, with the
name that the object was encrypted under.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any, Final

from jetstow._core.protocol.cipher import (
    ALGORITHM,
    MAX_CHUNK_SIZE,
    MIN_CHUNK_SIZE,
    Identity,
    Key,
    Layout,
)
from jetstow._headers import ENCRYPTION_HEADER, LINK_TAG_HEADER, ObjectHeaders, header_values
from jetstow.models import ObjectLink

_VALUE: Final = re.compile(
    rf"{ALGORITHM}; chunk=(\d{{1,9}}); size=(\d{{1,19}}); salt=([\w-]{{32}}); tag=([\w-]{{32}})",
    re.ASCII,
)
_CHUNK: Final = re.compile(rf"{ALGORITHM}; chunk=(\d{{1,9}})(?:;|$)", re.ASCII)
_LINK_TAG: Final = re.compile(r"[\w-]{32}", re.ASCII)


def encryption_header(key: Key, identity: Identity, layout: Layout) -> ObjectHeaders:
    """Return the header of an encrypted object."""
    parameters = f"{ALGORITHM}; chunk={layout.chunk_size}; size={layout.size}"
    tag = _encode(key.sign(b"object", parameters.encode(), layout.salt, *identity.encode()))
    value = f"{parameters}; salt={_encode(layout.salt)}; tag={tag}"
    return ObjectHeaders({ENCRYPTION_HEADER: value})


def header_layout(
    key: Key, identities: Iterable[Identity], headers: dict[str, Any] | None
) -> Layout | None:
    """Return the layout in an object's header; None unless its tag is of one of the identities."""
    value = _first(headers, ENCRYPTION_HEADER)
    match = _VALUE.fullmatch(value)
    if match is None:
        return None
    chunk_size, salt, tag = int(match[1]), _decode(match[3]), _decode(match[4])
    if not MIN_CHUNK_SIZE <= chunk_size <= MAX_CHUNK_SIZE:
        return None
    parameters = value[: match.end(2)].encode()
    for identity in identities:
        if key.is_signed(tag, b"object", parameters, salt, *identity.encode()):
            return Layout(chunk_size, int(match[2]), salt)
    return None


def stated_chunk_size(headers: dict[str, Any] | None) -> int:
    """Return the chunk size in an object's header, which is not authenticated."""
    match = _CHUNK.match(_first(headers, ENCRYPTION_HEADER))
    return max(MIN_CHUNK_SIZE, int(match[1])) if match else MIN_CHUNK_SIZE


def link_header(key: Key, identity: Identity, link: ObjectLink) -> ObjectHeaders:
    """Return the header of a link."""
    tag = _encode(key.sign(*_link_parts(identity, identity.bucket, link)))
    return ObjectHeaders({LINK_TAG_HEADER: tag})


def is_link_signed(
    key: Key,
    bucket: str,
    identities: Iterable[Identity],
    link: ObjectLink,
    headers: dict[str, Any] | None,
) -> bool:
    """Return whether the link in `bucket` has the header of one of the identities."""
    value = _first(headers, LINK_TAG_HEADER)
    return bool(_LINK_TAG.fullmatch(value)) and any(
        key.is_signed(_decode(value), *_link_parts(identity, bucket, link))
        for identity in identities
    )


def _link_parts(identity: Identity, bucket: str, link: ObjectLink) -> tuple[bytes, ...]:
    # In a mirror, a link within the bucket leads to the mirror.
    is_within = link.bucket in (bucket, identity.bucket)
    target = Identity("" if is_within else link.bucket, link.name or "")
    return b"link", *identity.encode(), *target.encode()


def _first(headers: dict[str, Any] | None, name: str) -> str:
    return next(iter(header_values(headers, name)), "")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text)
    except binascii.Error:  # 32 characters of the alphabet are 24 bytes
        return b""
