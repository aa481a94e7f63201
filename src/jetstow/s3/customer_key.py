"""Encryption with keys of the customer (SSE-C), by the library's encryption with a key.

The gateway stores no key, and neither the MD5 nor the checksums of the plaintext: a user who reads
the bucket could compare them with those of other bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jetstow import ObjectStore
from jetstow.s3.errors import S3Error
from jetstow.s3.request import Request

PREFIX: Final = "x-amz-server-side-encryption-customer-"
SOURCE_PREFIX: Final = "x-amz-copy-source-server-side-encryption-customer-"
_ALGORITHM: Final = "AES256"
_KEY_SIZE: Final = 32
_PROVIDE: Final = (
    "Requests specifying Server Side Encryption with Customer provided keys must provide "
)

# The operations that read or write bytes with a key.
OPERATIONS: Final = frozenset({
    "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "GetObject",
    "GetObjectAttributes", "HeadObject", "ListParts", "PostObject", "PutObject", "UploadPart",
    "UploadPartCopy",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """A key of 32 bytes, and the MD5 of it in base64."""

    key: bytes = field(repr=False)
    md5: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response to a request with the key."""
        return {f"{PREFIX}algorithm": _ALGORITHM, f"{PREFIX}key-md5": self.md5}

    def sign(self, text: str) -> str:
        """Return a text that only the key gives for another one, as 32 hexadecimal digits."""
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()[:32]


def encrypted_store(store: ObjectStore, key: CustomerKey | None) -> ObjectStore:
    """Return the store that encrypts bytes with a key; without one, the store itself."""
    return store if key is None else store.encrypted(key.key)


def parse_customer_key(
    request: Request, headers: Mapping[str, str], prefix: str = PREFIX
) -> CustomerKey | None:
    """Return the key in the headers of a request, or in the fields of a form; None without one.

    Raises: `S3Error` (InvalidArgument, InvalidEncryptionAlgorithmError; InvalidRequest: the key
    would cross a network in clear).
    """
    algorithm = headers.get(f"{prefix}algorithm")
    encoded, md5 = headers.get(f"{prefix}key"), headers.get(f"{prefix}key-md5")
    if algorithm is None and encoded is None and md5 is None:
        return None
    if request.scheme != "https" and not _is_loopback(request.client):
        raise S3Error("InvalidRequest", f"{_PROVIDE}them over a secure connection.")
    if algorithm is None:
        raise S3Error("InvalidArgument", f"{_PROVIDE}a valid encryption algorithm.")
    if algorithm != _ALGORITHM:
        raise S3Error("InvalidEncryptionAlgorithmError", ArgumentValue=algorithm)
    try:
        key = base64.b64decode(encoded or "", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_SIZE:
        raise S3Error("InvalidArgument", f"{_PROVIDE}an appropriate secret key.")
    if md5 is None:
        raise S3Error("InvalidArgument", f"{_PROVIDE}the client calculated MD5 of the secret key.")
    computed = base64.b64encode(hashlib.md5(key, usedforsecurity=False).digest()).decode()
    if not hmac.compare_digest(computed, md5.strip()):
        message = "The calculated MD5 hash of the key did not match the hash that was provided."
        raise S3Error("InvalidArgument", message)
    return CustomerKey(key, computed)


def request_key(request: Request, operation: str, headers: Mapping[str, str]) -> CustomerKey | None:
    """Return the key of a request to an operation, which must use keys.

    Raises: `S3Error` (InvalidArgument: it does not), and what `parse_customer_key` raises.
    """
    key = parse_customer_key(request, headers)
    if key is not None and operation not in OPERATIONS:
        raise S3Error("InvalidArgument", f"{operation} uses no key of the customer.")
    return key


def _is_loopback(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False
