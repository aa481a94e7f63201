"""Encrypted objects in a bucket, as a view of the bucket with or without a key handles them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import cipher
from jetstow._core.protocol.cipher import Identity, Key, Layout
from jetstow._core.protocol.encryption_header import (
    encryption_header,
    header_layout,
    is_link_signed,
    link_header,
    stated_chunk_size,
)
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers
from jetstow._core.protocol.versions import shown_info
from jetstow._headers import LINK_TAG_HEADER, ObjectHeaders
from jetstow.errors import InvalidOptionError, ObjectEncryptedError, TamperedError
from jetstow.models import ObjectInfo, ObjectLink


def identities(view: Stream, bucket: str, name: str) -> list[Identity]:
    """Return what an object may have been encrypted as: first its bucket and name."""
    buckets = [bucket]
    if view.original_bucket is not None and bucket == view.bucket:
        buckets.append(view.original_bucket)
    return [Identity(each, name) for each in buckets]


def layout_of(view: Stream, info: ObjectInfo) -> Layout | None:
    """Return the layout in an object's header; None if it has none, or one that is not valid."""
    if view.key is None or not info.headers:
        return None
    return header_layout(view.key, identities(view, info.bucket, info.name), info.headers)


def plain_info(view: Stream, info: ObjectInfo) -> ObjectInfo:
    """Return an object's metadata with its version, and the size of the plaintext for a key.

    Without a valid header, the size is computed from the metadata, and is not authenticated.
    """
    if (versioning := view.versioning) is not None:
        info = shown_info(versioning, info)
    if view.key is None or not info.headers or not info.encrypted or info.deleted:
        return info
    layout = layout_of(view, info)
    if layout is not None:
        return replace(info, size=layout.size)
    size = cipher.plaintext_size(info.size or 0, stated_chunk_size(info.headers))
    return replace(info, size=size)


def info_with_layout(key: Key, info: ObjectInfo, layout: Layout) -> ObjectInfo:
    """Return the metadata of an encrypted object whose bytes have been authenticated."""
    headers = info.headers
    if not info.encrypted:  # another client dropped the header
        identity = Identity(info.bucket, info.name)
        headers = joined_headers(headers, encryption_header(key, identity, layout))
    return replace(info, size=layout.size, headers=headers)


def make_encryptor(view: Stream, context: ErrorContext, chunk_size: int) -> cipher.Encryptor | None:
    """Return the encryptor of a new object; None if the view has no key.

    Raises: `InvalidOptionError` (the chunk size is too small).
    """
    if view.key is None:
        return None
    if chunk_size < cipher.MIN_CHUNK_SIZE:
        raise context.error(
            InvalidOptionError,
            f"chunks of {context} must have at least {cipher.MIN_CHUNK_SIZE} bytes, as it is "
            "encrypted",
        )
    return cipher.Encryptor(view.key, chunk_size, Identity(view.bucket, context.name or ""))


def new_header(view: Stream, name: str, layout: Layout | None) -> ObjectHeaders:
    """Return the header of an object that the view encrypted; nothing for a plain object."""
    if view.key is None or layout is None:
        return ObjectHeaders()
    return encryption_header(view.key, Identity(view.bucket, name), layout)


# -- links -----------------------------------------------------------------------------------


def new_link_header(view: Stream, name: str, link: ObjectLink) -> ObjectHeaders | None:
    """Return the header of a new link; None if the view has no key."""
    return None if view.key is None else link_header(view.key, Identity(view.bucket, name), link)


def check_link(view: Stream, context: ErrorContext, info: ObjectInfo) -> None:
    """Check that a link was created with the key of the view, if it has one.

    A client without the key could let a name lead to another object of the same key.

    Raises: `TamperedError`.
    """
    if view.key is None or view.allow_plain or _is_signed_link(view, info):
        return
    raise context.error(
        TamperedError,
        f"{context} is a link that was not created with the key, or not under this name: create it "
        "again with the key, or follow it with store.encrypted(key, allow_plain=True)",
    )


def _is_signed_link(view: Stream, info: ObjectInfo) -> bool:
    assert info.link is not None, "only links are checked here"
    assert view.key is not None, "only views with a key check links"
    names = identities(view, info.bucket, info.name)
    return is_link_signed(view.key, info.bucket, names, info.link, info.headers)


# -- names -----------------------------------------------------------------------------------


def check_moved_with_key(view: Stream, context: ErrorContext, info: ObjectInfo) -> None:
    """Check that a view without a key does not rename, or copy elsewhere, what has a key.

    Raises: `ObjectEncryptedError`.
    """
    has_tag = info.encrypted or LINK_TAG_HEADER in (info.headers or {})
    if view.key is None and not view.is_as_stored and has_tag:
        raise context.error(
            ObjectEncryptedError,
            f"{context} is encrypted for its name and bucket: rename or copy it through "
            "store.encrypted(key), or as it is stored through store.as_stored()",
        )


def renamed_link(view: Stream, info: ObjectInfo, new_name: str) -> ObjectInfo:
    """Return a link with a new name, and the header for it if the old one was valid."""
    assert info.link is not None, "only links are renamed here"
    headers = info.headers
    if view.key is not None and _is_signed_link(view, info):
        headers = joined_headers(headers, new_link_header(view, new_name, info.link))
    return replace(info, name=new_name, headers=headers)


# -- errors ----------------------------------------------------------------------------------


def encrypted_error(context: ErrorContext) -> ObjectEncryptedError:
    """Return the error for an encrypted object that is read without a key."""
    return context.error(
        ObjectEncryptedError,
        f"{context} is encrypted: read it through store.encrypted(key), or as it is stored "
        "through store.as_stored()",
    )


def not_encrypted_error(context: ErrorContext) -> TamperedError:
    """Return the error for a plain object that is read through a view with a key."""
    return context.error(
        TamperedError,
        f"{context} is not encrypted, so it may have been replaced without the key: read it "
        "without a key, or with store.encrypted(key, allow_plain=True)",
    )


def tampered_error(context: ErrorContext) -> TamperedError:
    """Return the error for bytes that were changed."""
    return context.error(
        TamperedError,
        f"{context} cannot be decrypted: its bytes or its metadata were changed without its key",
    )


@contextmanager
def translate_errors(context: ErrorContext) -> Iterator[None]:
    """Convert errors of the cipher to errors about an object."""
    try:
        yield
    except cipher.WrongKeyError:
        raise context.error(
            ObjectEncryptedError, f"{context} was encrypted with another key"
        ) from None
    except cipher.WrongNameError:
        raise context.error(
            TamperedError,
            f"{context} was encrypted under another name or in another bucket, and moved without "
            "its key: give it back its name, or read a mirror or a restored backup with "
            "store.encrypted(key, original_bucket=...)",
        ) from None
    except cipher.DecryptionError:
        raise tampered_error(context) from None
