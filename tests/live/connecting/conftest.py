"""A user without settings, and servers of the latest version that require credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jetstow import _embedded
from jetstow._embedded import locate
from tests.support.certs import Certificates, make_certificates
from tests.support.credentials import Key, Operator
from tests.support.servers import NatsServer, free_port

Save = Callable[..., None]


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.definition.add_marker(pytest.mark.one_path)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Hide the settings of the machine. The embedded server has a directory of its own.

    Check that no test leaves its embedded server running.
    """
    for name in ("NATS_URL", "NATS_CONTEXT", locate.BINARY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    assert not _embedded.stop(tmp_path / "home")


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save and select a context of the `nats` command: `save(url=...)`."""

    def save(name: str = "demo", *, select: bool = True, **fields: Any) -> None:
        folder = tmp_path / "config" / "nats"
        (folder / "context").mkdir(parents=True, exist_ok=True)
        (folder / "context" / f"{name}.json").write_text(json.dumps(fields))
        if select:
            (folder / "context.txt").write_text(name)

    return save


# -- servers, one for all tests of a file -------------------------------------------------


@pytest.fixture(scope="module")
def plain() -> Iterator[NatsServer]:
    """A server without authorization."""
    with NatsServer(name="plain") as started:
        yield started


@pytest.fixture(scope="session")
def user_key() -> Key:
    return Key()


@pytest.fixture(scope="session")
def websocket_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def guarded(user_key: Key, websocket_port: int) -> Iterator[NatsServer]:
    """A server for a user with a password and one with an NKey; on a websocket, too."""
    config = f"""
        accounts {{ A {{ jetstream: enabled, users: [
            {{ user: joe, password: sesame }}, {{ nkey: {user_key.public} }} ] }} }}
        websocket {{ listen: "127.0.0.1:{websocket_port}", no_tls: true }}
    """
    with NatsServer(name="guarded", config=config) as started:
        yield started


@pytest.fixture(scope="module")
def token_server() -> Iterator[NatsServer]:
    """A server for the token `sesame`."""
    with NatsServer(name="token", config="authorization { token: sesame }") as started:
        yield started


@pytest.fixture(scope="session")
def operator() -> Operator:
    return Operator()


@pytest.fixture(scope="module")
def operator_server(operator: Operator) -> Iterator[NatsServer]:
    """A server for JWTs that the operator's account has signed."""
    with NatsServer(name="operator", config=operator.server_config()) as started:
        yield started


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def tls_server(certificates: Certificates) -> Iterator[NatsServer]:
    """A server with TLS."""
    with NatsServer(name="tls", config=certificates.server_config()) as started:
        yield started


@pytest.fixture(scope="module")
def mutual_server(certificates: Certificates) -> Iterator[NatsServer]:
    """A server with TLS that requires a client certificate."""
    with NatsServer(name="mutual", config=certificates.server_config(verify=True)) as started:
        yield started


@pytest.fixture(scope="module")
def tls_first_server(certificates: Certificates) -> Iterator[NatsServer]:
    """A server that sends nothing before the TLS handshake."""
    config = certificates.server_config().replace("verify:", "handshake_first: true, verify:")
    with NatsServer(name="tls-first", config=config) as started:
        yield started
