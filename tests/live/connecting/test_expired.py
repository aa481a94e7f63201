"""Expired certificates and JWTs."""

from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from nats.aio.client import RawCredentials

import jetstow
from jetstow.errors import AuthorizationError, NoServersError
from tests.live.connecting.checks import full_text
from tests.support.certs import make_certificates
from tests.support.credentials import Key, Operator, creds
from tests.support.servers import NatsServer


class _LastWeek(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _LastWeek:
        return super().now(tz) - datetime.timedelta(days=7)


async def test_expired_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(datetime=_LastWeek, timedelta=datetime.timedelta, UTC=datetime.UTC)
    monkeypatch.setattr("tests.support.certs.datetime", clock)
    expired = make_certificates(tmp_path)
    with NatsServer(config=expired.server_config()) as server:
        with pytest.raises(NoServersError, match="certificate has expired") as caught:
            await jetstow.connect(server.url, tls=expired.client_context())
        assert f"127.0.0.1:{server.port}" in str(caught.value)


def _part(claims: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def _with_expiry(operator: Operator, jwt: str, end: int) -> str:
    """Return the JWT with another expiry time."""
    head, body, _ = jwt.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    unsigned = f"{head}.{_part(claims | {'exp': end})}"
    signature = operator._account.sign(unsigned)
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_expired_jwt(operator_server: NatsServer, operator: Operator) -> None:
    user = Key()
    jwt = operator.user_jwt(user)
    fresh = creds(_with_expiry(operator, jwt, 2**32), user.seed)
    async with jetstow.connect(operator_server.url, user_credentials=RawCredentials(fresh)) as nc:
        assert nc.is_connected
    jwt = _with_expiry(operator, jwt, 1)
    with pytest.raises(AuthorizationError) as caught:
        await jetstow.connect(
            operator_server.url, user_credentials=RawCredentials(creds(jwt, user.seed))
        )
    assert isinstance(caught.value, PermissionError)
    assert f"127.0.0.1:{operator_server.port}" in str(caught.value)
    assert jwt not in full_text(caught.value)
    assert user.seed not in full_text(caught.value)
