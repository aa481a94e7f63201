"""Every kind of credentials that nats-py supports."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats.errors
import pytest
from nats.aio.client import RawCredentials

import jetstow
from jetstow.errors import AuthorizationError, InvalidOptionError
from tests.live.connecting.checks import check_jetstream, full_text
from tests.support.credentials import Key, Operator, creds
from tests.support.servers import NatsServer

# -- passwords and tokens -----------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{"user": "joe", "password": "sesame"}, {"user": lambda: "joe", "password": lambda: "sesame"}],
    ids=["strings", "callables"],
)
async def test_user_and_password(guarded: NatsServer, options: dict[str, Any]) -> None:
    async with jetstow.connect(guarded.url, **options) as nc:
        await check_jetstream(nc.jetstream())


async def test_user_and_password_in_url(guarded: NatsServer) -> None:
    address = guarded.url.replace("//", "//joe:sesame@")
    for servers in (address, [address]):
        async with jetstow.connect(servers) as nc:
            await check_jetstream(nc.jetstream())


@pytest.mark.parametrize("token", ["sesame", lambda: "sesame"], ids=["string", "callable"])
async def test_token(token_server: NatsServer, token: str | Callable[[], str]) -> None:
    async with jetstow.connect(token_server.url, token=token) as nc:
        await check_jetstream(nc.jetstream())


async def test_token_in_url(token_server: NatsServer) -> None:
    async with jetstow.connect(token_server.url.replace("//", "//sesame@")) as nc:
        await check_jetstream(nc.jetstream())


# -- keys ---------------------------------------------------------------------------------


async def test_nkey_file(guarded: NatsServer, user_key: Key, tmp_path: Path) -> None:
    file = tmp_path / "user.nk"
    file.write_text(f"{user_key.seed}\n")
    async with jetstow.connect(guarded.url, nkeys_seed=str(file)) as nc:
        await check_jetstream(nc.jetstream())


async def test_nkey_string(guarded: NatsServer, user_key: Key) -> None:
    async with jetstow.connect(guarded.url, nkeys_seed_str=user_key.seed) as nc:
        await check_jetstream(nc.jetstream())


# -- JWTs ---------------------------------------------------------------------------------


async def test_credentials_file(
    operator_server: NatsServer, operator: Operator, tmp_path: Path
) -> None:
    path = operator.creds_file(tmp_path)
    for credentials in (path, str(path), RawCredentials(path.read_text())):
        async with jetstow.connect(operator_server.url, user_credentials=credentials) as nc:
            await check_jetstream(nc.jetstream())


async def test_credentials_in_two_files(
    operator_server: NatsServer, operator: Operator, tmp_path: Path
) -> None:
    user = Key()
    (tmp_path / "jwt").write_text(operator.user_jwt(user))
    (tmp_path / "seed").write_text(user.seed)
    paths = (str(tmp_path / "jwt"), str(tmp_path / "seed"))
    async with jetstow.connect(operator_server.url, user_credentials=paths) as nc:
        await check_jetstream(nc.jetstream())


async def test_credentials_callbacks(operator_server: NatsServer, operator: Operator) -> None:
    user = Key()
    jwt = operator.user_jwt(user).encode()
    async with jetstow.connect(
        operator_server.url, user_jwt_cb=lambda: jwt, signature_cb=user.sign_nonce
    ) as nc:
        await check_jetstream(nc.jetstream())


# -- errors ---------------------------------------------------------------------------------


async def test_wrong_credentials(
    guarded: NatsServer, token_server: NatsServer, operator_server: NatsServer, operator: Operator
) -> None:
    stranger, user = Key(), Key()
    forged = RawCredentials(creds(operator.user_jwt(user), stranger.seed))
    of_another = RawCredentials(creds(Operator().user_jwt(user), user.seed))
    attempts: list[tuple[NatsServer, dict[str, Any]]] = [
        (guarded, {}),
        (guarded, {"user": "joe", "password": "another"}),
        (guarded, {"nkeys_seed_str": stranger.seed}),
        (token_server, {}),
        (token_server, {"token": "another"}),
        (operator_server, {}),
        (operator_server, {"user_credentials": forged}),
        (operator_server, {"user_credentials": of_another}),
    ]
    for server, options in attempts:
        with pytest.raises(AuthorizationError) as caught:
            await jetstow.connect(server.url, **options)
        assert isinstance(caught.value, nats.errors.AuthorizationError)
        assert isinstance(caught.value, PermissionError)
        assert str(caught.value) == (
            f"the NATS server at 127.0.0.1:{server.port} refused the credentials: "
            "Authorization Violation"
        )


@pytest.mark.parametrize("option", ["nkeys_seed", "user_credentials"])
async def test_missing_file(plain: NatsServer, tmp_path: Path, option: str) -> None:
    path: Any = str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="missing"):
        await jetstow.connect(plain.url, **{option: path})


async def test_missing_seed_file(
    operator_server: NatsServer, operator: Operator, tmp_path: Path
) -> None:
    """It was reported as a failure of the server, after two attempts."""
    (tmp_path / "jwt").write_text(operator.user_jwt(Key()))
    paths = (str(tmp_path / "jwt"), str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError, match="missing"):
        await jetstow.connect(operator_server.url, user_credentials=paths)


async def test_invalid_seed(
    guarded: NatsServer, operator_server: NatsServer, operator: Operator, tmp_path: Path
) -> None:
    path = tmp_path / "seed"
    path.write_text("sesame")
    forged = RawCredentials(creds(operator.user_jwt(Key()), "sesame"))
    attempts: list[tuple[NatsServer, dict[str, Any]]] = [
        (guarded, {"nkeys_seed_str": "sesame"}),
        (guarded, {"nkeys_seed_str": ""}),
        (guarded, {"nkeys_seed": str(path)}),
        (operator_server, {"user_credentials": forged}),
    ]
    for server, options in attempts:
        with pytest.raises(InvalidOptionError, match="does not have a valid NKey seed") as caught:
            await jetstow.connect(server.url, **options)
        assert next(iter(options)) in str(caught.value)
        assert "sesame" not in "".join(traceback.format_exception_only(caught.value))
        assert caught.value.__cause__ is None


async def test_incomplete_credentials_file(plain: NatsServer, tmp_path: Path) -> None:
    """nats-py searches such a file in an endless loop, which blocks the event loop."""
    path = tmp_path / "user.creds"
    whole = creds("the.jwt", Key().seed)
    for text in ("", "sesame", whole.partition("-----BEGIN USER")[0]):
        path.write_text(text)
        for credentials in (str(path), RawCredentials(text)):
            with pytest.raises(InvalidOptionError, match="user_credentials") as caught:
                await jetstow.connect(plain.url, user_credentials=credentials)
            assert "sesame" not in full_text(caught.value)
