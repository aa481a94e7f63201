"""Names on the wire: which are allowed, and the subjects they become (ADR-20).

stream             OBJ_<bucket>
chunks             $O.<bucket>.C.<nuid>
metadata           $O.<bucket>.M.<base64url(object name), padded>
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from jetstow.errors import InvalidBucketNameError, InvalidObjectNameError

_BUCKET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_STREAM_PREFIX = "OBJ_"

# The server reads a control line of 4,096 bytes: verb, subject, reply and two lengths. A
# longer one ends the connection, so a name whose subject leaves no room is refused here.
MAX_SUBJECT = 3_840

# The server makes the stream's name a folder's, and folders end at 255 bytes.
MAX_BUCKET = 255 - len(_STREAM_PREFIX)

_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")


def check_bucket_name(bucket: object) -> str:
    """Return `bucket` if it can be a bucket's name; raise `InvalidBucketNameError` if not."""
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        raise InvalidBucketNameError(
            f"bucket name {bucket!r} is not allowed: use A-Z, a-z, 0-9, '_' and '-'",
            bucket=bucket if isinstance(bucket, str) else None,
        )
    if len(bucket) > MAX_BUCKET:
        raise InvalidBucketNameError(
            f"bucket name of {len(bucket)} characters is too long: {MAX_BUCKET} at most",
            bucket=bucket,
        )
    return bucket


def check_object_name(bucket: str, name: object) -> str:
    """Return `name` if it can be an object's name; raise `InvalidObjectNameError` if not."""
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
    longest = (MAX_SUBJECT - len(_meta_prefix(bucket))) // 4 * 3
    if size > longest:
        raise InvalidObjectNameError(
            f"object name of {size} bytes is too long for bucket {bucket!r}: {longest} at most",
            bucket=bucket,
            name=name,
        )
    return name


def stream_name(bucket: str) -> str:
    """The stream that holds the bucket."""
    return _STREAM_PREFIX + bucket


def bucket_name(stream: str) -> str | None:
    """The bucket that a stream holds, or None if its name is not a bucket's."""
    bucket = stream.removeprefix(_STREAM_PREFIX)
    return bucket if bucket != stream and _BUCKET.fullmatch(bucket) else None


def _meta_prefix(bucket: str) -> str:
    return f"$O.{bucket}.M."


def all_chunks_subject(bucket: str) -> str:
    """The subjects of every chunk of the bucket."""
    return f"$O.{bucket}.C.>"


def all_meta_subject(bucket: str) -> str:
    """The subjects of every object's metadata."""
    return _meta_prefix(bucket) + ">"


def chunk_subject(bucket: str, nuid: str) -> str:
    """The subject of one object's chunks, in order."""
    return f"$O.{bucket}.C.{nuid}"


def meta_subject(bucket: str, name: str) -> str:
    """The subject of one object's metadata."""
    return _meta_prefix(bucket) + base64.urlsafe_b64encode(name.encode()).decode("ascii")


def object_name(bucket: str, subject: str) -> str | None:
    """The object name in a metadata subject, or None if no name has that subject."""
    prefix = _meta_prefix(bucket)
    if not subject.startswith(prefix):
        return None
    try:
        encoded = subject[len(prefix) :].encode()
        raw = binascii.a2b_base64(encoded.translate(_FROM_URL))
        name = raw.decode()
    except ValueError:  # binascii.Error is one, and UnicodeError
        return None
    # Base64 is decoded leniently: other spellings would be names that nobody can get.
    canonical = binascii.b2a_base64(raw, newline=False).translate(_TO_URL)
    return name if name and canonical == encoded else None
