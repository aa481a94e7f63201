"""Sessions as signed tokens: every worker can check them, and none keeps them (decision 0048)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from jetstow.s3.auth.keys import Key, Keys

COOKIE: Final = "jetstow_session"
# How long a session lasts, in seconds.
LIFETIME: Final = 12 * 3600

_PURPOSE: Final = b"jetstow console session"
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]{1,400})\.(\d{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Token:
    """A session: its key, when it expires (Unix time), and a random number."""

    key: Key
    expires: int
    nonce: str

    def encode(self) -> str:
        """Return the value of the cookie: access key, expiry, nonce, signature."""
        payload = _payload(self.key.access_key, self.expires, self.nonce)
        return f"{payload}.{_sign(self.key, payload)}"

    @property
    def csrf(self) -> str:
        """What the header x-csrf-token must have in requests of the session that change data."""
        return _sign(self.key, f"csrf.{self.nonce}")


def new_token(key: Key, now: float) -> Token:
    """Return a new session of a key."""
    return Token(key, int(now) + LIFETIME, secrets.token_hex(16))


def find_token(keys: Keys, cookie: str, now: float) -> Token | None:
    """Return the session of a cookie.

    None if it has expired, is not signed with the secret of its key, or if the key is revoked.
    """
    if (match := _TOKEN.fullmatch(cookie)) is None:
        return None
    encoded, expires, nonce, signature = match.groups()
    key = keys.find(_decode(encoded))
    if key is None or int(expires) <= now:
        return None
    payload = f"{encoded}.{expires}.{nonce}"
    if not hmac.compare_digest(_sign(key, payload), signature):
        return None
    return Token(key, int(expires), nonce)


def is_secret(key: Key | None, secret_key: str) -> bool:
    """Return whether a secret is that of a key. The time does not depend on the key."""
    expected = hashlib.sha256(b"" if key is None else key.secret_key.encode())
    given = hashlib.sha256(secret_key.encode("utf-8", "surrogatepass"))
    return hmac.compare_digest(expected.digest(), given.digest()) and key is not None


def signing_key(key: Key, purpose: bytes) -> bytes:
    """Return a key for signatures of one purpose: it changes with the secret of the access key."""
    return hmac.digest(key.secret_key.encode(), purpose, "sha256")


def _payload(access_key: str, expires: int, nonce: str) -> str:
    # An access key may have characters that cookies cannot.
    encoded = base64.urlsafe_b64encode(access_key.encode()).decode().rstrip("=")
    return f"{encoded}.{expires}.{nonce}"


def _decode(encoded: str) -> str:
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _sign(key: Key, text: str) -> str:
    return hmac.digest(signing_key(key, _PURPOSE), text.encode(), "sha256").hex()
