"""Connections with the selected `nats` context."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow.errors import AuthorizationError, JetStreamUnavailableError, NoServersError
from tests.live.connecting.checks import check_jetstream, server_name
from tests.live.connecting.conftest import Save
from tests.support.certs import Certificates
from tests.support.credentials import Key, Operator
from tests.support.servers import NatsServer, free_port


@pytest.fixture(scope="module")
def hub() -> Iterator[NatsServer]:
    """A server with a JetStream domain."""
    with NatsServer(name="hub", jetstream="domain: hub") as started:
        yield started


async def connect_and_check() -> None:
    async with jetstow.connect() as nc:
        await check_jetstream(nc.jetstream())


async def test_selected_context_and_nats_context_variable(
    plain: NatsServer, guarded: NatsServer, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("first", url=plain.url)
    save("second", url=guarded.url, user="joe", password="sesame", select=False)
    async with jetstow.connect() as nc:
        assert server_name(nc) == "plain"
    monkeypatch.setenv("NATS_CONTEXT", "second")
    async with jetstow.connect() as nc:
        assert server_name(nc) == "guarded"
        await check_jetstream(nc.jetstream())


async def test_several_urls(plain: NatsServer, save: Save) -> None:
    save(url=f"nats://127.0.0.1:{free_port()}, {plain.url}")
    await connect_and_check()


async def test_user_and_password(guarded: NatsServer, save: Save) -> None:
    save(url=guarded.url, user="joe", password="sesame")
    await connect_and_check()


async def test_token(token_server: NatsServer, save: Save) -> None:
    save(url=token_server.url, token="sesame")
    await connect_and_check()


async def test_creds(
    operator_server: NatsServer, operator: Operator, save: Save, tmp_path: Path
) -> None:
    save(url=operator_server.url, creds=str(operator.creds_file(tmp_path)))
    await connect_and_check()


async def test_nkey(guarded: NatsServer, user_key: Key, save: Save, tmp_path: Path) -> None:
    file = tmp_path / "user.nk"
    file.write_text(
        f"-----BEGIN USER NKEY SEED-----\n{user_key.seed}\n------END USER NKEY SEED------\n"
    )
    save(url=guarded.url, nkey=str(file))
    await connect_and_check()


async def test_user_jwt(operator_server: NatsServer, operator: Operator, save: Save) -> None:
    user = Key()
    save(url=operator_server.url, user_jwt=operator.user_jwt(user), user_seed=user.seed)
    await connect_and_check()
    save(url=operator_server.url, user_jwt=operator.user_jwt(Key(), bearer=True))
    await connect_and_check()
    save(url=operator_server.url, user_jwt=operator.user_jwt(Key()))
    with pytest.raises(AuthorizationError):
        await jetstow.connect()


async def test_tls(
    tls_server: NatsServer, mutual_server: NatsServer, certificates: Certificates, save: Save
) -> None:
    save(url=tls_server.url, ca=str(certificates.authority))
    await connect_and_check()
    files = {"cert": str(certificates.client), "key": str(certificates.client_key)}
    save(url=mutual_server.url, ca=str(certificates.authority), **files)
    await connect_and_check()
    save(url=tls_server.url)
    with pytest.raises(NoServersError, match="certificate verify failed"):
        await jetstow.connect()


async def test_tls_first(
    tls_first_server: NatsServer, certificates: Certificates, save: Save
) -> None:
    save(url=tls_first_server.url, ca=str(certificates.authority), tls_first=True)
    await connect_and_check()


async def test_inbox_prefix(plain: NatsServer, save: Save) -> None:
    save(url=plain.url, inbox_prefix="_MINE")
    async with jetstow.connect() as nc:
        assert nc.new_inbox().startswith("_MINE.")
        await check_jetstream(nc.jetstream())


# -- options of the JetStream context ----------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"jetstream_domain": "hub"},
        {"jetstream_api_prefix": "$JS.hub.API"},
        {"jetstream_domain": "hub", "jetstream_api_prefix": "$JS.elsewhere.API"},
    ],
)
async def test_domain_and_prefix(hub: NatsServer, save: Save, fields: dict[str, str]) -> None:
    save(url=hub.url, **fields)
    async with jetstow.connect() as nc:
        assert nc.jetstream()._prefix == "$JS.hub.API"
        await check_jetstream(nc.jetstream())


async def test_unknown_domain(hub: NatsServer, save: Save) -> None:
    save(url=hub.url, jetstream_domain="elsewhere")
    async with jetstow.connect() as nc:
        with pytest.raises(JetStreamUnavailableError):
            await nc.jetstream().create_object_store("b")


async def test_domain_with_timeout_option(hub: NatsServer, save: Save) -> None:
    """Any option of `jetstream()` replaced those of the context."""
    save(url=hub.url, jetstream_domain="elsewhere")
    async with jetstow.connect() as nc:
        assert nc.jetstream(timeout=3)._prefix == "$JS.elsewhere.API"
        assert nc.jetstream(timeout=3)._timeout == 3
        choices: list[dict[str, Any]] = [{"domain": "hub"}, {"prefix": "$JS.hub.API"}]
        for mine in choices:
            assert nc.jetstream(**mine)._prefix == "$JS.hub.API"
            await check_jetstream(nc.jetstream(**mine))


# -- options of `connect` ------------------------------------------------------------------------


async def test_options_override_the_context(
    guarded: NatsServer, user_key: Key, save: Save, tmp_path: Path
) -> None:
    """nats-py prefers an NKey to a password: the context's key replaced the password given here."""
    file = tmp_path / "stranger.nk"
    file.write_text(Key().seed)
    save(url=guarded.url, nkey=str(file), inbox_prefix="_MINE")
    async with jetstow.connect(user="joe", password="sesame") as nc:
        assert nc.new_inbox().startswith("_MINE.")
        await check_jetstream(nc.jetstream())
    save(url=guarded.url, user="joe", password="another")
    async with jetstow.connect(nkeys_seed_str=user_key.seed, inbox_prefix="_OURS") as nc:
        assert nc.options["user"] is None
        assert nc.new_inbox().startswith("_OURS.")
