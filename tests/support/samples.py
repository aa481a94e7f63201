"""Sizes, names and bytes for test objects."""

from __future__ import annotations

import base64
import hashlib
import random

CHUNK = 128 * 1024

SIZES = {
    "empty": 0,
    "one byte": 1,
    "one chunk": CHUNK,
    "one chunk and a byte": CHUNK + 1,
    "many chunks": 3 * 1024 * 1024 + 7,
}

ASCII_NAMES = (
    "plain",
    "with a space",
    "folder/file.txt",
    "/leading/and/trailing/",
    "dots.stars*and>more",
    "~?>?>",  # its base64 has the two characters that base64url replaces
    "x" * 500,
)
UNICODE_NAMES = ("Grüße", "файл.txt", "目录/文件", "🚀 e\N{COMBINING ACUTE ACCENT}")


def some_bytes(size: int, seed: int = 0) -> bytes:
    """Return pseudo-random bytes, the same for the same size and seed."""
    return random.Random(f"{size}/{seed}").randbytes(size)


def digest_of(data: bytes) -> str:
    """Return the digest field of an object with this content."""
    return "SHA-256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
