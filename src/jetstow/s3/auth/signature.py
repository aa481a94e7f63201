"""AWS Signature Version 4: canonical requests, signing keys, signatures. Pure, without I/O."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from jetstow.s3.request import Request, collapsed

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()
SERVICE: Final = "s3"

_UNRESERVED: Final = re.compile(rb"[A-Za-z0-9._~-]*")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signing key is valid for."""

    date: str
    region: str
    service: str = SERVICE

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


@lru_cache(maxsize=1024)  # four HMACs; each key and region has one a day
def signing_key(secret_key: str, scope: Scope) -> bytes:
    """Return the key that signs all requests of a scope."""
    key = f"AWS4{secret_key}".encode()
    for text in (scope.date, scope.region, scope.service, "aws4_request"):
        key = _hmac(key, text)
    return key


def sign(key: bytes, text: str) -> str:
    """Return the signature of a string to sign."""
    return _hmac(key, text).hex()


def signatures_equal(a: str, b: str) -> bool:
    """Compare signatures in a time that does not depend on them."""
    return hmac.compare_digest(a.encode(), b.encode())


def canonical_path(raw_path: bytes) -> str:
    """Return the path with S3's escapes. An escaped slash stays one: it is part of a key's name."""
    return "/".join(_quote(unquote_to_bytes(part)) for part in raw_path.split(b"/")) or "/"


def canonical_query(pairs: Iterable[tuple[bytes, bytes]], without: str = "") -> str:
    """Return the query sorted by the bytes of the escaped names, then of the values."""
    excluded = without.encode()
    quoted = sorted(
        (_quote(name), _quote(value)) for name, value in pairs if not excluded or name != excluded
    )
    return "&".join(f"{name}={value}" for name, value in quoted)


def _quote(data: bytes) -> str:
    return data.decode() if _UNRESERVED.fullmatch(data) else quote(data, safe="-_.~")


def strings_to_sign(request: Request, signed_headers: Sequence[str], payload_hash: str,
                    timestamp: str, scope: Scope, *, without: str = "") -> list[str]:  # fmt: skip
    """Return what a request's signature may sign. `without` is a query parameter to leave out.

    Some clients sign the bytes of the headers. Others, such as botocore, sign the UTF-8 of text
    that they send as Latin-1.
    """
    headers = "".join(
        f"{name}:{collapsed(request.headers.get(name, ''))}\n" for name in signed_headers
    )
    canonical = "\n".join((
        request.method,
        canonical_path(request.raw_path),
        canonical_query(request.query_pairs, without),
        headers,
        ";".join(signed_headers),
        payload_hash,
    ))  # fmt: skip
    encodings = ("latin-1",) if canonical.isascii() else ("latin-1", "utf-8")
    digests = (hashlib.sha256(canonical.encode(each)).hexdigest() for each in encodings)
    return [f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}" for digest in digests]


class ChunkSigner:
    """Verifies the signatures of the chunks of an `aws-chunked` body, each based on the last."""

    def __init__(self, key: bytes, timestamp: str, scope: Scope, seed: str) -> None:
        self._key = key
        self._prefix = f"{timestamp}\n{scope}"
        self._previous = seed

    def verify_chunk(self, digest: str, signature: str) -> bool:
        """Return whether a chunk has the signature. `digest` is that of its bytes."""
        return self._verify(f"{ALGORITHM}-PAYLOAD", f"{EMPTY_SHA256}\n{digest}", signature)

    def verify_trailer(self, digest: str, signature: str) -> bool:
        """Return whether the trailer has the signature. `digest` is that of its lines."""
        return self._verify(f"{ALGORITHM}-TRAILER", digest, signature)

    def _verify(self, algorithm: str, content: str, signature: str) -> bool:
        expected = sign(self._key, f"{algorithm}\n{self._prefix}\n{self._previous}\n{content}")
        self._previous = expected
        return signatures_equal(expected, signature)
