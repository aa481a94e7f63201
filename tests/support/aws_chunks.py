"""Encode bodies as `aws-chunked`: an implementation of its own, to test the decoder with."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from jetstow.s3 import Key

EMPTY = hashlib.sha256(b"").hexdigest()


def unsigned_chunks(pieces: Sequence[bytes], trailers: Mapping[str, str]) -> bytes:
    """Return a body of STREAMING-UNSIGNED-PAYLOAD-TRAILER."""
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    lines = "".join(f"{name}:{value}\r\n" for name, value in trailers.items())
    return b"".join(chunks) + b"0\r\n" + lines.encode() + b"\r\n"


def signed_chunks(
    pieces: Sequence[bytes],
    headers: Mapping[str, str],
    key: Key,
    trailers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a body of STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or of -TRAILER if there are trailers.

    `headers` are those of the signed request.
    """
    _, _, scope = headers["Authorization"].split("Credential=")[1].split(",")[0].partition("/")
    previous = headers["Authorization"].rpartition("Signature=")[2]
    signing_key = f"AWS4{key.secret_key}".encode()
    for part in scope.split("/"):
        signing_key = hmac.digest(signing_key, part.encode(), "sha256")
    prefix = f"{headers['X-Amz-Date']}\n{scope}"

    def sign(kind: str, content: str) -> str:
        text = f"AWS4-HMAC-SHA256-{kind}\n{prefix}\n{previous}\n{content}"
        return hmac.digest(signing_key, text.encode(), "sha256").hex()

    body = b""
    for piece in (*pieces, b""):
        previous = sign("PAYLOAD", f"{EMPTY}\n{hashlib.sha256(piece).hexdigest()}")
        body += f"{len(piece):x};chunk-signature={previous}\r\n".encode()
        body += piece + b"\r\n" if piece else b""
    if trailers is None:
        return body + b"\r\n"
    lines = "".join(f"{name}:{value}\n" for name, value in trailers.items()).encode()
    signature = sign("TRAILER", hashlib.sha256(lines).hexdigest())
    lines = lines.replace(b"\n", b"\r\n")
    return body + lines + f"x-amz-trailer-signature:{signature}\r\n\r\n".encode()
