"""Bucket and object names: which are valid, and the subjects that they map to (ADR-20).

stream             OBJ_<bucket>
chunks             $O.<bucket>.C.<nuid>
metadata           $O.<bucket>.M.<base64url(object name), padded>
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from jetstow.errors import InvalidBucketNameError, InvalidObjectNameError, InvalidOptionError

_BUCKET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_STREAM_PREFIX = "OBJ_"

# The server closes a connection whose protocol line is longer than 4,096 bytes. The rest of the
# line is the verb, the reply subject and two sizes.
MAX_SUBJECT_LENGTH = 3_840

# A stream is a folder of its name on the server, and file systems limit names to 255 bytes.
MAX_BUCKET_NAME_LENGTH = 255 - len(_STREAM_PREFIX)

# A name of so many bytes fits in any bucket.
_ANY_NAME_SIZE: Final = 1_024

# A prefix must leave space in the protocol line for the longest subject.
_MAX_PREFIX_LENGTH: Final = 100
_PREFIX: Final = re.compile(r"(?:[^\s.*>]+\.)*[^\s.*>]+|")

_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")


def check_bucket_name(bucket: object) -> str:
    """Return a bucket name if it is valid.

    Raises: `InvalidBucketNameError` (it is empty, too long, or has other characters).
    """
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        raise InvalidBucketNameError(
            f"bucket name {bucket!r} is not allowed: use A-Z, a-z, 0-9, '_' and '-'",
            bucket=bucket if isinstance(bucket, str) else None,
        )
    if len(bucket) > MAX_BUCKET_NAME_LENGTH:
        raise InvalidBucketNameError(
            f"bucket name of {len(bucket)} characters is too long: "
            f"{MAX_BUCKET_NAME_LENGTH} at most",
            bucket=bucket,
        )
    return bucket


def check_object_name(bucket: str, name: object) -> str:
    """Return an object name if it is valid.

    Raises: `InvalidObjectNameError` (it is empty, too long, or not valid Unicode).
    """
    if not isinstance(name, str):
        raise InvalidObjectNameError(
            f"object name {name!r} in bucket {bucket!r} is not a string", bucket=bucket
        )
    if not name:
        raise InvalidObjectNameError(f"an object in bucket {bucket!r} needs a name", bucket=bucket)
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidObjectNameError(
            f"object name {name!r} in bucket {bucket!r} is not valid Unicode",
            bucket=bucket,
            name=name,
        ) from None
    if size > _ANY_NAME_SIZE and size > (max_size := _max_name_size(bucket)):
        raise InvalidObjectNameError(
            f"object name of {size} bytes is too long for bucket {bucket!r}: {max_size} at most",
            bucket=bucket,
            name=name,
        )
    return name


def _max_name_size(bucket: str) -> int:
    return (MAX_SUBJECT_LENGTH - len(_meta_prefix(bucket))) // 4 * 3


def check_subject_prefix(prefix: object) -> str:
    """Return a prefix of subjects if it is valid: tokens that are separated by dots, or none.

    Raises: `InvalidOptionError`.
    """
    if (
        not isinstance(prefix, str)
        or len(prefix) > _MAX_PREFIX_LENGTH
        or not prefix.isprintable()
        or not _PREFIX.fullmatch(prefix)
    ):
        raise InvalidOptionError(
            f"subject_prefix {prefix!r} is not allowed: use a subject of up to "
            f"{_MAX_PREFIX_LENGTH} characters without wildcards, such as 'JS.A.API'"
        )
    return prefix


def stream_name(bucket: str) -> str:
    """Return the name of a bucket's stream."""
    return _STREAM_PREFIX + bucket


def bucket_name(stream: str) -> str | None:
    """Return the bucket of a stream; None if the stream is not a bucket."""
    bucket = stream.removeprefix(_STREAM_PREFIX)
    return bucket if bucket != stream and _BUCKET.fullmatch(bucket) else None


def _meta_prefix(bucket: str) -> str:
    return f"$O.{bucket}.M."


def all_subject(bucket: str) -> str:
    """Return the wildcard subject of everything in a bucket."""
    return f"$O.{bucket}.>"


def all_chunks_subject(bucket: str) -> str:
    """Return the wildcard subject of all chunks of a bucket."""
    return f"$O.{bucket}.C.>"


def all_meta_subject(bucket: str) -> str:
    """Return the wildcard subject of all metadata of a bucket."""
    return _meta_prefix(bucket) + ">"


def bucket_of_subject(subject: str) -> str:
    """Return the bucket in the subject of a message."""
    return subject.split(".")[1]


def chunk_subject(bucket: str, nuid: str) -> str:
    """Return the subject of an object's chunks."""
    return f"$O.{bucket}.C.{nuid}"


def meta_subject(bucket: str, name: str) -> str:
    """Return the subject of an object's metadata."""
    encoded = binascii.b2a_base64(name.encode(), newline=False).translate(_TO_URL)
    return f"$O.{bucket}.M.{encoded.decode()}"


def object_name(bucket: str, subject: str) -> str | None:
    """Return the object name in a metadata subject; None if no name maps to it."""
    prefix = _meta_prefix(bucket)
    if not subject.startswith(prefix):
        return None
    try:
        encoded = subject[len(prefix) :].encode()
        raw = binascii.a2b_base64(encoded.translate(_FROM_URL))
        name = raw.decode()
    except ValueError:  # binascii.Error is one, and UnicodeError
        return None
    # The decoder accepts other encodings of a name. A `get` of that name would not find them.
    canonical = binascii.b2a_base64(raw, newline=False).translate(_TO_URL)
    return name if name and canonical == encoded else None
