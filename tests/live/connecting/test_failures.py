"""No connection: each time one clear error, soon, that shows no secret."""

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
from tests.live.connecting.conftest import Save
from tests.live.connecting.proof import told, works
from tests.support.credentials import Key, Operator, creds
from tests.support.servers import NatsServer, free_port

# -- nobody there ---------------------------------------------------------------------------


async def test_no_server_at_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [free_port(), free_port()]
    servers = [f"nats://127.0.0.1:{ports[0]}", f"nats://joe:sesame@127.0.0.1:{ports[1]}"]
    monkeypatch.setenv("NATS_URL", ",".join(servers))
    for attempt in (jetstow.connect(servers), jetstow.connect()):
        with pytest.raises(NoServersError) as caught:
            await attempt
        message = str(caught.value)
        assert f"at 127.0.0.1:{ports[0]}, 127.0.0.1:{ports[1]}: " in message
        assert message.endswith(": nobody listens there")
        assert "sesame" not in told(caught.value)
        for kind in (JetstowError, nats.errors.NoServersError, ConnectionError):
            assert isinstance(caught.value, kind)


async def test_no_address_at_all() -> None:
    with pytest.raises(NoServersError, match="at no address at all"):
        await jetstow.connect([])


async def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(NoServersError, match=r"no-such-host\.invalid: there is no such host"):
        await jetstow.connect("nats://no-such-host.invalid")


Greeter = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def speak_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"INFO {]\r\n")
    writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def hang_up_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # nats-py took the end of the stream for an answer, and a connection for made.
    writer.write(b'INFO {"max_payload": 1048576}\r\n')
    while not (await reader.readline()).startswith(b"PING"):
        pass
    writer.close()


@pytest.mark.parametrize(
    ("greeter", "why"),
    [
        (stay_silent, "no answer in time"),
        (speak_http, "empty response from server when expecting INFO"),
        (speak_nonsense, "json parse error"),
        (hang_up, "empty response|Connection|reset"),
        (hang_up_later, "unexpected EOF"),
    ],
)
async def test_something_else_answers(greeter: Greeter, why: str) -> None:
    async with await asyncio.start_server(greeter, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(NoServersError, match=f"at 127.0.0.1:{port}: .*({why})"):
            await jetstow.connect(f"nats://127.0.0.1:{port}", connect_timeout=0.3)


async def test_a_server_that_is_full() -> None:
    with NatsServer(config="max_connections: 1") as small:
        async with await jetstow.connect(small.url):
            with pytest.raises(NoServersError, match=f"127.0.0.1:{small.port}"):
                await jetstow.connect(small.url)


async def test_no_reconnecting_means_one_try() -> None:
    with pytest.raises(NoServersError):
        await jetstow.connect(f"nats://127.0.0.1:{free_port()}", allow_reconnect=False)


# -- what makes no sense ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["", "nats://", "nats://:4222", "nats://host:port", "nats://host:99999", 4222, ("nats://a",),
     ["nats://a", "ws://b"]],
)  # fmt: skip
async def test_an_address_that_makes_no_sense(address: Any) -> None:
    # Closing what nats-py had not begun raised an AssertionError instead.
    with pytest.raises(InvalidOptionError, match=r"no URL of a NATS server"):
        await jetstow.connect(address)


@pytest.mark.parametrize(
    "address",
    ["nats://joe:ses/ame@127.0.0.1:1", "nats://joe:ses,ame@127.0.0.1:1", "nats://ses@127.0.0.1:1",
     "nats://joe:ses@ame@127.0.0.1:1", "nats://joe:ses//ame@127.0.0.1:1"],
)  # fmt: skip
async def test_a_password_with_strange_characters_is_not_shown(
    address: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The part of a password before a comma was taken for an address, and shown.
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("NATS_URL", address)
    for servers in (address, [address], None):
        with pytest.raises((nats.errors.Error, OSError)) as caught:
            await jetstow.connect(servers)
        assert "ses" not in "".join(traceback.format_exception_only(caught.value))
        if caught.value.__cause__ is None:
            assert caught.value.__suppress_context__
    assert "ses" not in caplog.text


async def test_an_option_that_does_not_exist(plain: NatsServer) -> None:
    for name in ("bogus", "server", "url"):
        with pytest.raises(TypeError, match=name):
            await jetstow.connect(plain.url, **{name: 1})


# -- secrets -----------------------------------------------------------------------------------


async def test_no_secret_is_shown(
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
    said = ""
    for url, options in good:
        async with await jetstow.connect(url, **options) as nc:
            js = nc.jetstream()
            await works(js)
            said += f"{nc!r}{nc}{js!r}{await js.create_object_store('b')!r}"
    for url, options in bad:
        with pytest.raises(AuthorizationError) as caught:
            await jetstow.connect(url, **options)
        said += told(caught.value)
    said += caplog.text + "".join(str(record.args) for record in caplog.records)
    assert "jetstow.client" in caplog.text
    for secret in ("sesame", user_key.seed, user.seed, stranger.seed, jwt):
        assert secret not in said


async def test_the_embedded_servers_token_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with await jetstow.connect() as nc:
        token = nc.options["token"]
        await works(nc.jetstream())
        assert token not in f"{nc!r}{nc._hold!r}{nc.connected_url}"
    assert len(token) > 20
    assert token not in caplog.text


async def test_a_context_that_fails_shows_no_secret(
    guarded: NatsServer, save: Save, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    save(url=guarded.url, user="jim", password="sesame")
    with pytest.raises(AuthorizationError) as caught:
        await jetstow.connect()
    assert "sesame" not in told(caught.value) + caplog.text
