"""--context, --creds, --nkey, TLS files and --js-domain, also before the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jetstow.cli import errors
from jetstow.cli.app import app
from tests.support.certs import Certificates, make_certificates
from tests.support.cli import Cli
from tests.support.credentials import Key
from tests.support.servers import NatsServer


@pytest.fixture(scope="module")
def user_key() -> Key:
    return Key()


@pytest.fixture(scope="module")
def guarded(user_key: Key) -> Iterator[Cli]:
    """A server with the domain `hub` that accepts a password or an NKey."""
    users = f"{{user: joe, password: sesame}}, {{nkey: {user_key.public}}}"
    config = f"authorization {{ users: [{users}] }}"
    with NatsServer(jetstream="domain: hub", config=config) as server:
        yield Cli(server)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "nats" / "context"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def key_file(tmp_path: Path, user_key: Key) -> str:
    path = tmp_path / "user.nk"
    path.write_text(f"-----BEGIN USER NKEY SEED-----\n{user_key.seed}\n------END------\n")
    return str(path)


def run(*arguments: str, code: int = 0, **env: str) -> str:
    """Run a command without a server in the environment. Return stdout, or stderr if it fails."""
    result = CliRunner().invoke(app, arguments, env={"NATS_URL": "", **env}, prog_name="jetstow")
    assert result.exit_code == code, result.output
    assert code or not result.stderr
    return result.stderr if code else result.stdout


def test_context(guarded: Cli, contexts: Path) -> None:
    fields = {"url": guarded.server.url, "user": "joe", "password": "sesame"}
    (contexts / "work.json").write_text(json.dumps(fields))
    for arguments in (("--context", "work", "status"), ("status", "--context", "work")):
        assert "(nats context work)\n" in run(*arguments, NATS_URL="nats://127.0.0.1:1")
    (contexts / "away.json").write_text(json.dumps(fields | {"jetstream_domain": "elsewhere"}))
    assert "JetStream" in run("ls", "--context", "away", code=errors.UNREACHABLE)
    run("ls", "--context", "away", "--js-domain", "hub")
    assert "'lost'" in run("ls", "--context", "lost", code=errors.ERROR)


def test_context_with_another_server_or_user(guarded: Cli, contexts: Path, key_file: str) -> None:
    fields = {"url": "nats://127.0.0.1:1", "user": "joe", "password": "sesame"}
    (contexts / "work.json").write_text(json.dumps(fields))
    run("ls", "--context", "work", "--server", guarded.server.url)
    (contexts / "work.json").write_text(json.dumps(fields | {"password": "wrong"}))
    server = ("--context", "work", "--server", guarded.server.url)
    run("ls", *server, code=errors.REFUSED)
    run("ls", *server, "--nkey", key_file)


def test_nkey(guarded: Cli, key_file: str) -> None:
    server = ("--server", guarded.server.url)
    run("ls", *server, code=errors.REFUSED)
    run("ls", *server, "--nkey", key_file)
    run("--nkey", key_file, *server, "ls")


def test_js_domain(guarded: Cli, key_file: str) -> None:
    options = ("--server", guarded.server.url, "--nkey", key_file)
    run("mb", "in-domain", *options, "--js-domain", "hub")
    assert "in-domain" in run("ls", *options, "--js-domain", "hub")
    message = run("ls", *options, "--js-domain", "elsewhere", code=errors.UNREACHABLE)
    assert "JetStream" in message


def test_tls_files(certificates: Certificates) -> None:
    with NatsServer(config=certificates.server_config(verify=True)) as server:
        address = ("ls", "--server", server.url)
        ca = ("--tlsca", str(certificates.authority))
        pair = ("--tlscert", str(certificates.client), "--tlskey", str(certificates.client_key))
        run(*address, *ca, *pair)
        run(*ca, *pair, *address)
        assert "cannot connect" in run(*address, *ca, code=errors.UNREACHABLE)
        assert "certificate" in run(*address, *pair, code=errors.UNREACHABLE)
    swapped = ("--tlscert", str(certificates.client_key), "--tlskey", str(certificates.client))
    assert "cannot be loaded" in run(*address, *swapped, code=errors.USAGE)


def test_mirror_to_a_server_without_the_options(
    guarded: Cli, contexts: Path, key_file: str, server: NatsServer, bucket: str
) -> None:
    """Credentials, the domain and TLS files belong to the server of the source."""
    source = ("--server", guarded.server.url, "--nkey", key_file, "--js-domain", "hub")
    run("mb", bucket, *source)
    (contexts / "other.json").write_text(json.dumps({"url": server.url}))
    for to in (server.url, "other"):
        assert "0 unchanged" in run("mirror", bucket, bucket, "--to", to, *source)
