"""Failed connections: one clear error, within seconds, that reveals no secret."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

import nats.errors
import pytest
from nats.aio.client import RawCredentials

import jetstow
from jetstow.errors import AuthorizationError, InvalidOptionError, JetstowError, NoServersError
from tests.live.connecting.checks import check_jetstream, full_text
from tests.live.connecting.conftest import Save
from tests.support.credentials import Key, Operator, creds
from tests.support.servers import NatsServer, free_port

# -- servers --------------------------------------------------------------------------------


async def test_connection_refused_by_several_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [free_port(), free_port()]
    servers = [f"nats://127.0.0.1:{ports[0]}", f"nats://joe:sesame@127.0.0.1:{ports[1]}"]
    monkeypatch.setenv("NATS_URL", ",".join(servers))
    for attempt in (jetstow.connect(servers), jetstow.connect()):
        with pytest.raises(NoServersError) as caught:
            await attempt
        message = str(caught.value)
        assert f"at 127.0.0.1:{ports[0]}, 127.0.0.1:{ports[1]}: " in message
        assert message.endswith(": Connection refused")
        assert "sesame" not in full_text(caught.value)
        for kind in (JetstowError, nats.errors.NoServersError, ConnectionError):
            assert isinstance(caught.value, kind)


async def test_empty_list_of_servers() -> None:
    with pytest.raises(NoServersError, match="the list of servers is empty"):
        await jetstow.connect([])


async def test_unknown_host() -> None:
    with pytest.raises(NoServersError, match=r"at no-such-host\.invalid: .*([Nn]ame|node)"):
        await jetstow.connect("nats://no-such-host.invalid")


Greeter = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def send_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def send_invalid_info(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"INFO {]\r\n")
    writer.close()


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def close_after_ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # nats-py took the end of the stream for a PONG, and reported success.
    writer.write(b'INFO {"max_payload": 1048576}\r\n')
    while not (await reader.readline()).startswith(b"PING"):
        pass
    writer.close()


@pytest.mark.parametrize(
    ("greeter", "why"),
    [
        (stay_silent, "timed out"),
        (send_http, "empty response from server when expecting INFO"),
        (send_invalid_info, "json parse error"),
        (close_at_once, "empty response|Connection reset"),
        (close_after_ping, "unexpected EOF"),
    ],
)
async def test_server_that_is_not_nats(greeter: Greeter, why: str) -> None:
    async with await asyncio.start_server(greeter, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(NoServersError, match=f"at 127.0.0.1:{port}: .*({why})"):
            await jetstow.connect(f"nats://127.0.0.1:{port}", connect_timeout=0.3)


async def test_connection_limit_of_the_server() -> None:
    with NatsServer(config="max_connections: 1") as small:
        async with jetstow.connect(small.url):
            with pytest.raises(NoServersError, match=f"127.0.0.1:{small.port}"):
                await jetstow.connect(small.url)


async def test_refused_without_reconnect() -> None:
    with pytest.raises(NoServersError):
        await jetstow.connect(f"nats://127.0.0.1:{free_port()}", allow_reconnect=False)


# -- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["", "nats://", "nats://:4222", "nats://host:port", "nats://host:99999", 4222, ("nats://a",),
     ["nats://a", "ws://b"]],
)  # fmt: skip
async def test_malformed_url(address: Any) -> None:
    """Closing the client, which had not started to connect, raised an AssertionError."""
    with pytest.raises(InvalidOptionError, match=r"not a valid NATS URL"):
        await jetstow.connect(address)


async def test_scheme_of_another_protocol(
    monkeypatch: pytest.MonkeyPatch, plain: NatsServer
) -> None:
    """nats-py takes it for a host name: "Name or service not known", also for 127.0.0.1."""
    address = plain.url.removeprefix("nats")
    for scheme in ("http", "foo", "NATS"):
        monkeypatch.setenv("NATS_URL", scheme + address)
        for servers in (scheme + address, [plain.url, scheme + address], None):
            with pytest.raises(InvalidOptionError, match=f"the scheme '{scheme}' .* use nats://, "):
                await jetstow.connect(servers)
    with pytest.raises(InvalidOptionError, match="a server has a scheme that is not of NATS"):
        await jetstow.connect("http://joe:sesame@localhost")
    async with jetstow.connect(address.removeprefix("://")):  # nats-py adds nats://
        pass


@pytest.mark.parametrize(
    "address",
    ["nats://joe:ses/ame@127.0.0.1:1", "nats://joe:ses,ame@127.0.0.1:1", "nats://ses@127.0.0.1:1",
     "nats://joe:ses@ame@127.0.0.1:1", "nats://joe:ses//ame@127.0.0.1:1"],
)  # fmt: skip
async def test_url_with_special_characters_in_password(
    address: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part of a password before a comma was taken for a URL, and was in the error."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("NATS_URL", address)
    for servers in (address, [address], None):
        with pytest.raises((nats.errors.Error, OSError)) as caught:
            await jetstow.connect(servers)
        assert "ses" not in "".join(traceback.format_exception_only(caught.value))
        if caught.value.__cause__ is None:
            assert caught.value.__suppress_context__
    assert "ses" not in caplog.text


@pytest.mark.parametrize(
    ("option", "hint"),
    [("server", "servers"), ("max_reconnect_attemps", "max_reconnect_attempts"),
     ("pasword", "password")],
)  # fmt: skip
def test_unknown_option(option: str, hint: str) -> None:
    """It raises when `connect` is called, before the embedded server starts."""
    options: dict[str, Any] = {option: 1}
    with pytest.raises(InvalidOptionError, match=f"no option '{option}': .* '{hint}'"):
        jetstow.connect(**options)


def test_unknown_option_without_a_similar_one() -> None:
    options: dict[str, Any] = {"bogus": 1}
    with pytest.raises(InvalidOptionError, match="no option 'bogus': it has allow_reconnect, "):
        jetstow.connect(**options)


# -- secrets -----------------------------------------------------------------------------------


async def test_no_secret_in_errors_and_logs(
    guarded: NatsServer,
    token_server: NatsServer,
    operator_server: NatsServer,
    operator: Operator,
    user_key: Key,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    user, stranger = Key(), Key()
    jwt = operator.user_jwt(user)
    address = guarded.url.replace("//", "//joe:sesame@")
    good: list[tuple[str, dict[str, Any]]] = [
        (address, {}),
        (guarded.url, {"user": "joe", "password": "sesame"}),
        (guarded.url, {"nkeys_seed_str": user_key.seed}),
        (token_server.url, {"token": "sesame"}),
        (operator_server.url, {"user_credentials": RawCredentials(creds(jwt, user.seed))}),
    ]
    bad: list[tuple[str, dict[str, Any]]] = [
        (address.replace("joe", "jim"), {}),
        (guarded.url, {"user": "jim", "password": "sesame"}),
        (guarded.url, {"nkeys_seed_str": stranger.seed}),
        (guarded.url, {"token": "sesame"}),
        (operator_server.url, {"user_credentials": RawCredentials(creds(jwt, stranger.seed))}),
    ]
    text = ""
    for url, options in good:
        async with jetstow.connect(url, **options) as nc:
            js = nc.jetstream()
            await check_jetstream(js)
            text += f"{nc!r}{nc}{js!r}{await js.create_object_store('b')!r}"
    for url, options in bad:
        with pytest.raises(AuthorizationError) as caught:
            await jetstow.connect(url, **options)
        text += full_text(caught.value)
    text += caplog.text + "".join(str(record.args) for record in caplog.records)
    assert "jetstow.client" in caplog.text
    for secret in ("sesame", user_key.seed, user.seed, stranger.seed, jwt):
        assert secret not in text


async def test_no_token_of_the_embedded_server_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with jetstow.connect() as nc:
        token = nc.options["token"]
        await check_jetstream(nc.jetstream())
        assert token not in f"{nc!r}{nc._lease!r}{nc.connected_url}"
    assert len(token) > 20
    assert token not in caplog.text


async def test_no_secret_of_a_context_in_errors(
    guarded: NatsServer, save: Save, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    save(url=guarded.url, user="jim", password="sesame")
    with pytest.raises(AuthorizationError) as caught:
        await jetstow.connect()
    assert "sesame" not in full_text(caught.value) + caplog.text
