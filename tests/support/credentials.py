"""NKeys, and the chain of JWTs from an operator to a user."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nkeys

UNLIMITED = {
    "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True,
    "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
}  # fmt: skip


class Key:
    """A new ed25519 key pair of an operator, an account or a user."""

    def __init__(self, prefix: int = nkeys.PREFIX_BYTE_USER) -> None:
        self.seed: str = nkeys.encode_seed(os.urandom(32), prefix).decode()
        self.public: str = nkeys.from_seed(bytearray(self.seed.encode())).public_key.decode()

    def sign(self, text: str) -> bytes:
        signed: bytes = nkeys.from_seed(bytearray(self.seed.encode())).sign(text.encode())
        return signed

    def sign_nonce(self, nonce: str) -> bytes:
        """Return the reply of nats-py's `signature_cb` to the server."""
        return base64.b64encode(self.sign(nonce))


class Operator:
    """An operator with an account that has JetStream, and a system account."""

    def __init__(self) -> None:
        self._key = Key(nkeys.PREFIX_BYTE_OPERATOR)
        self._account = Key(nkeys.PREFIX_BYTE_ACCOUNT)
        self._system = Key(nkeys.PREFIX_BYTE_ACCOUNT)

    def server_config(self) -> str:
        """Return a server configuration that trusts the operator and preloads its accounts."""
        account = _token(self._key, self._account, "account", limits=UNLIMITED)
        without_jetstream = UNLIMITED | {"mem_storage": 0, "disk_storage": 0}
        system = _token(self._key, self._system, "account", limits=without_jetstream)
        return (
            f"operator: {_token(self._key, self._key, 'operator')}\n"
            f"system_account: {self._system.public}\n"
            "resolver: MEMORY\n"
            f"resolver_preload {{ {self._account.public}: {account}\n"
            f"                    {self._system.public}: {system} }}\n"
        )

    def user_jwt(
        self, user: Key, *, bearer: bool = False, denied: Sequence[str] = (), lifetime: int = 0
    ) -> str:
        """Return a JWT for a user. With `bearer`, the user need not sign the server's nonce.

        The user must not publish to the subjects `denied`. It expires after `lifetime` seconds.
        """
        claims: dict[str, Any] = {"subs": -1, "data": -1, "payload": -1}
        if denied:
            claims["pub"] = {"deny": list(denied)}
        return _token(self._account, user, "user", lifetime=lifetime, bearer_token=bearer, **claims)

    def creds_file(
        self,
        folder: Path,
        name: str = "user.creds",
        *,
        denied: Sequence[str] = (),
        lifetime: int = 0,
    ) -> Path:
        """Write the credentials of a new user in the format of `nsc`."""
        user = Key()
        path = folder / name
        jwt = self.user_jwt(user, denied=denied, lifetime=lifetime)
        path.write_text(creds(jwt, user.seed))
        return path


def creds(jwt: str, seed: str) -> str:
    """Return the text of a credentials file."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


def _token(issuer: Key, subject: Key, kind: str, *, lifetime: int = 0, **claims: Any) -> str:
    body: dict[str, Any] = {
        "iat": int(time.time()),
        "iss": issuer.public,
        "name": kind,
        "sub": subject.public,
        "nats": claims | {"type": kind, "version": 2},
    }
    if lifetime:
        body["exp"] = body["iat"] + lifetime
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    body["jti"] = base64.b32encode(digest).decode().rstrip("=")
    unsigned = f"{_base64url({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_base64url(body)}"
    return f"{unsigned}.{_trimmed(issuer.sign(unsigned))}"


def _base64url(body: dict[str, Any]) -> str:
    return _trimmed(json.dumps(body, separators=(",", ":"), sort_keys=True).encode())


def _trimmed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
