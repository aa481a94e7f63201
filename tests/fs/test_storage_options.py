"""The options that other libraries call `storage_options`: credentials, TLS, contexts, domains."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest

from jetstow.errors import (
    AuthorizationError,
    ContextError,
    InvalidOptionError,
    JetStreamUnavailableError,
)
from jetstow.fs import JetstowFileSystem
from tests.support.certs import Certificates, make_certificates
from tests.support.credentials import Key, Operator
from tests.support.servers import NatsServer


@pytest.fixture(scope="module")
def user_key() -> Key:
    return Key()


@pytest.fixture(scope="module")
def guarded(user_key: Key) -> Iterator[NatsServer]:
    """A server with the domain `hub`, for a user with a password and one with an NKey."""
    config = f"""accounts {{ A {{ jetstream: enabled, users: [
        {{ user: joe, password: sesame }}, {{ nkey: {user_key.public} }} ] }} }}"""
    with NatsServer(name="guarded", jetstream="domain: hub", config=config) as started:
        yield started


@pytest.fixture(scope="module")
def operator() -> Operator:
    return Operator()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def mutual_server(certificates: Certificates) -> Iterator[NatsServer]:
    """A server with TLS that requires a client certificate."""
    with NatsServer(name="mutual", config=certificates.server_config(verify=True)) as started:
        yield started


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "config" / "nats" / "context"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder


def save(folder: Path, name: str, **fields: Any) -> None:
    (folder / f"{name}.json").write_text(json.dumps(fields))


def check(bucket: str, **options: Any) -> None:
    """Write and read with `options`, as pandas does it, and with a pickled instance."""
    fs: JetstowFileSystem = fsspec.filesystem("jetstow", **options)
    fs.mkdir(bucket)
    frame = pd.DataFrame({"a": [1, 2]})
    url = f"jetstow://{bucket}/frame.csv"
    frame.to_csv(url, index=False, storage_options=options)
    copy: JetstowFileSystem = pickle.loads(pickle.dumps(fs))
    assert copy.cat_file(f"{bucket}/frame.csv") == b"a\n1\n2\n"
    pd.testing.assert_frame_equal(pd.read_csv(url, storage_options=options), frame)
    assert fs.find(bucket) == [f"{bucket}/frame.csv"]
    fs.rm(bucket, recursive=True)
    fs.close()


def test_user_and_password(guarded: NatsServer, bucket: str) -> None:
    check(bucket, servers=guarded.url, user="joe", password="sesame")


def test_nkey(guarded: NatsServer, user_key: Key, bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "user.nk"
    file.write_text(f"{user_key.seed}\n")
    check(bucket, servers=guarded.url, nkeys_seed_str=user_key.seed)
    check(bucket, servers=guarded.url, nkeys_seed=str(file))


def test_token(bucket: str) -> None:
    with NatsServer(name="token", config="authorization { token: sesame }") as server:
        check(bucket, servers=server.url, token="sesame")


def test_credentials_file(operator: Operator, bucket: str, tmp_path: Path) -> None:
    with NatsServer(name="operator", config=operator.server_config()) as server:
        path = str(operator.creds_file(tmp_path))
        check(bucket, servers=server.url, user_credentials=path)


def test_tls_files(mutual_server: NatsServer, certificates: Certificates, bucket: str) -> None:
    """An `SSLContext` cannot be pickled, nor be in a configuration file."""
    check(
        bucket,
        servers=mutual_server.url,
        tls_ca=str(certificates.authority),
        tls_cert=str(certificates.client),
        tls_key=str(certificates.client_key),
    )


def test_tls_context(mutual_server: NatsServer, certificates: Certificates, bucket: str) -> None:
    tls = certificates.client_context(certificate=True)
    fs = JetstowFileSystem(mutual_server.url, tls=tls, skip_instance_cache=True)
    fs.mkdir(bucket)
    fs.rmdir(bucket)
    fs.close()


@pytest.mark.parametrize("options", [{"domain": "hub"}, {"prefix": "$JS.hub.API"}])
def test_domain_and_prefix(guarded: NatsServer, bucket: str, options: dict[str, str]) -> None:
    check(bucket, servers=guarded.url, user="joe", password="sesame", **options)


def test_missing_domain(guarded: NatsServer) -> None:
    options: dict[str, Any] = {"user": "joe", "password": "sesame", "domain": "elsewhere"}
    fs = JetstowFileSystem(guarded.url, **options, skip_instance_cache=True)
    with pytest.raises(JetStreamUnavailableError):
        fs.ls("")
    fs.close()


def test_context(guarded: NatsServer, bucket: str, contexts: Path) -> None:
    save(contexts, "demo", url=guarded.url, user="joe", password="sesame", jetstream_domain="hub")
    check(bucket, context="demo")


def test_context_with_other_options(
    guarded: NatsServer, user_key: Key, bucket: str, contexts: Path
) -> None:
    """A server, a user or a domain of their own replace those of the context."""
    save(contexts, "demo", url="nats://127.0.0.1:1", user="joe", password="sesame")
    check(bucket, context="demo", servers=guarded.url)
    save(contexts, "demo", url=guarded.url, user="joe", password="wrong", jetstream_domain="x")
    check(bucket, context="demo", nkeys_seed_str=user_key.seed, domain="hub")


def test_context_takes_precedence_over_the_environment(
    guarded: NatsServer, bucket: str, contexts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:1")
    monkeypatch.setenv("NATS_CONTEXT", "missing")
    save(contexts, "demo", url=guarded.url, user="joe", password="sesame")
    check(bucket, context="demo")


def test_options_in_the_configuration_of_fsspec(
    guarded: NatsServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"servers": guarded.url, "user": "joe", "password": "sesame"}
    monkeypatch.setitem(fsspec.config.conf, "jetstow", options)
    check(bucket)


def test_wrong_password(guarded: NatsServer) -> None:
    fs = JetstowFileSystem(guarded.url, user="joe", password="no", skip_instance_cache=True)
    with pytest.raises(AuthorizationError):
        fs.ls("")


def test_options_that_are_refused(contexts: Path, certificates: Certificates) -> None:
    new: dict[str, Any] = {"skip_instance_cache": True}
    with pytest.raises(InvalidOptionError, match="did you mean 'domain'"):
        JetstowFileSystem(domian="hub", **new)
    with pytest.raises(InvalidOptionError, match="did you mean 'servers'"):
        JetstowFileSystem(server="nats://127.0.0.1", **new)
    with pytest.raises(InvalidOptionError, match="`tls_cert` and `tls_key` are needed together"):
        JetstowFileSystem(tls_cert=str(certificates.client), **new)
    with pytest.raises(InvalidOptionError, match="`tls` is an SSLContext"):
        JetstowFileSystem(tls=certificates.client_context(), tls_ca="ca.pem", **new)
    with pytest.raises(ContextError, match="'missing'"):
        JetstowFileSystem(context="missing", **new).ls("")
    with pytest.raises(FileNotFoundError, match=r"ca\.pem"):
        JetstowFileSystem(tls_ca="/missing/ca.pem", **new).ls("")
    no_certificate = contexts / "no.pem"
    no_certificate.write_text("nothing")
    with pytest.raises(InvalidOptionError, match="cannot load the TLS files tls_ca="):
        JetstowFileSystem(tls_ca=str(no_certificate), **new).ls("")
