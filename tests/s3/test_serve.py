"""`jetstow serve`: addresses, TLS, log, metrics, drain, NATS credentials."""

from __future__ import annotations

import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from botocore.exceptions import ClientError

import jetstow
from jetstow.s3 import Key
from jetstow.s3.server import Certificate
from tests.support.certs import make_certificates
from tests.support.cli import Cli, Process, wait_until
from tests.support.credentials import Operator
from tests.support.gateway import RunningGateway, new_client
from tests.support.s3_http import request_head, send_signed, signed_headers
from tests.support.served import Served
from tests.support.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCESS_LOG = ("--access-log", "json")


@pytest.fixture(scope="module")
def served(server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    with Served(server.url, *ACCESS_LOG, home=home) as served:
        yield served


def test_generated_key(served: Served, bucket: str) -> None:
    assert served.key_file.stat().st_mode & 0o777 == 0o600
    client = new_client(served.url, served.key)
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key="a", Body=b"hello")
    assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"hello"


def test_admin_address(served: Served) -> None:
    before = served.metric('jetstow_s3_requests_total{operation="ListBuckets",status="200"}')
    new_client(served.url, served.key).list_buckets()
    assert served.get_admin("/healthz").text == "ok\n"
    assert served.get_admin("/readyz").status_code == 200
    after = served.metric('jetstow_s3_requests_total{operation="ListBuckets",status="200"}')
    assert after == before + 1
    assert served.get_admin("/secret").status_code == 404
    assert httpx.post(f"{served.admin}/metrics").status_code == 405
    assert httpx.head(f"{served.admin}/readyz").content == b""


def test_access_log(served: Served) -> None:
    response = httpx.get(f"{served.url}/no-such-bucket/a%20b?X-Amz-Signature=secret")
    request_id = response.headers["x-amz-request-id"]
    wait_until(lambda: any(request_id in line for line in served.log))
    line = json.loads(next(line for line in served.log if request_id in line))
    assert line["path"] == "/no-such-bucket/a%20b"
    assert (line["status"], line["error"]) == (400, "AuthorizationQueryParametersError")


def test_access_log_of_a_form(served: Served, bucket: str) -> None:
    """The key of a form is in its fields."""
    client = new_client(served.url, served.key)
    client.create_bucket(Bucket=bucket)
    form = client.generate_presigned_post(bucket, "a")
    response = httpx.post(form["url"], data=form["fields"], files={"file": b"1"})
    request_id = response.headers["x-amz-request-id"]
    wait_until(lambda: any(request_id in line for line in served.log))
    line = json.loads(next(line for line in served.log if request_id in line))
    assert (line["access_key"], line["operation"]) == (served.key.access_key, "PostObject")


def test_https(server: NatsServer, bucket: str, tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    files = ("--https-cert", str(made.server), "--https-key", str(made.server_key))
    with Served(server.url, *files, "--public-acls", home=tmp_path) as served:
        client = new_client(served.url, served.key, verify=str(made.authority))
        client.create_bucket(Bucket=bucket)
        # Over https, boto3 sends chunks with a trailer, unsigned.
        client.put_object(Bucket=bucket, Key="a", Body=b"hello" * 100_000)
        head = client.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
        assert head["ContentLength"] == 500_000
        assert "ChecksumCRC32" in head
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"})
        assert httpx.get(url, verify=made.client_context()).content == b"hello" * 100_000
        client.put_object(Bucket=bucket, Key="b", Body=b"public", ACL="public-read")
        public = f"{served.url}/{bucket}/b"
        assert httpx.get(public, verify=made.client_context()).text == "public"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_requests_in_progress_end_after_sigterm(
    server: NatsServer, bucket: str, tmp_path: Path, workers: str
) -> None:
    with Served(server.url, "--workers", workers, home=tmp_path) as served:
        new_client(served.url, served.key).create_bucket(Bucket=bucket)
        target = f"/{bucket}/a"
        headers = {
            "Host": f"{served.host}:{served.port}", "Content-Length": "10",
            **signed_headers(served, "PUT", target, key=served.key),
        }  # fmt: skip
        with socket.create_connection((served.host, served.port), timeout=20) as connection:
            connection.sendall(request_head("PUT", target, headers) + b"hello")
            wait_until(lambda: served.metric("jetstow_s3_requests_in_progress") == 1)
            served.signal(signal.SIGTERM)
            served.wait_ready(503)
            wait_until(lambda: not _accepts(served))
            connection.sendall(b"world")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert served.wait() == 0
        assert served.log == []


def _accepts(served: Served) -> bool:
    try:
        socket.create_connection((served.host, served.port), timeout=20).close()
    except ConnectionRefusedError:
        return False
    return True


async def test_drain_is_bounded(server: NatsServer, bucket: str) -> None:
    """A client that stops in the middle of a body does not keep the gateway from ending."""
    async with jetstow.connect(server.url) as nc:
        store = await nc.jetstream().create_object_store(bucket)
        target = f"/{bucket}/a"
        connection = socket.socket()
        with connection, RunningGateway(server.url, drain_timeout=0.2) as gateway:
            connection.connect((gateway.host, gateway.port))
            headers = {
                "Host": f"{gateway.host}:{gateway.port}", "Content-Length": "10000000",
                **signed_headers(gateway, "PUT", target),
            }  # fmt: skip
            connection.sendall(request_head("PUT", target, headers) + bytes(5_000_000))
            while (await store.status()).size < 1_000_000:
                pass
        assert (await store.status()).size < 1_000
        assert await store.list() == []


def test_idle_connections_do_not_delay_the_end(
    server: NatsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Clients of https keep a connection, and do not answer when it is closed."""
    made = make_certificates(tmp_path)
    certificate = Certificate(made.server, made.server_key)
    with RunningGateway(server.url, certificate=certificate, drain_timeout=20) as gateway:
        client = new_client(gateway.url, verify=str(made.authority))
        client.list_buckets()
    assert "timeout graceful shutdown exceeded" not in caplog.text
    client.close()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--listen", "0.0.0.0:0"), "not on loopback: it needs --keys"),
        (("--listen", "9000"), "must be HOST:PORT"),
        (("--https-cert", "a.pem"), "--https-cert and --https-key need each other"),
        (("--https-cert", "/dev/null", "--https-key", "/dev/null"), "--https-key /dev/null"),
        (("--keys", "/dev/null"), "[[key]]"),
    ],
)
def test_wrong_option(server: NatsServer, arguments: tuple[str, ...], text: str) -> None:
    assert text in Cli(server).error(2, "serve", *arguments)


def test_key_with_missing_credentials(server: NatsServer, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text('[[key]]\naccess_key = "A"\nsecret_key = "B"\ncreds = "no.creds"\n')
    error = Cli(server).error(2, "serve", "--keys", str(keys))
    assert f"key 1: there is no creds file '{tmp_path / 'no.creds'}'" in error


def test_address_in_use(server: NatsServer, served: Served) -> None:
    address = f"{served.host}:{served.port}"
    error = Cli(server).error(1, "serve", "--listen", address)
    assert error == f"--listen {address}: another program uses this address: choose another one"


def test_server_without_jetstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway had started, and logged two tracebacks."""
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path))
    accounts = 'accounts { A { users: [{user: "a", password: "a"}] } }\nno_auth_user: "a"'
    for options in ({"jetstream": None}, {"config": accounts}):
        with NatsServer(**options) as nats:
            assert "JetStream" in Cli(nats).error(6, "serve", "--listen", "127.0.0.1:0")


def test_start_before_the_nats_server(tmp_path: Path) -> None:
    """The gateway had waited without a word."""
    keys = tmp_path / "keys.toml"
    keys.write_text('[[key]]\naccess_key = "ADA"\nsecret_key = "change-me"\n')
    with NatsServer() as nats:
        nats.stop()
        arguments = ("serve", "--listen", "127.0.0.1:0", "--keys", str(keys))
        with Process(*arguments, env={"NATS_URL": nats.url}) as process:
            assert process.stderr.readline().decode() == (
                "jetstow: cannot connect to NATS (NATS_URL): Connection refused; trying again\n"
            )
            nats.start()
            started = [process.stdout.readline().decode()[:-1]]
            while started[-1] != "aws s3 ls":
                started.append(process.stdout.readline().decode()[:-1])
    # The secret key is in the file only.
    assert started[-2] == f"# AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: a key of {keys}"


def test_key_with_nats_credentials(tmp_path: Path, bucket: str) -> None:
    """NATS's own permissions decide what a key may do."""
    operator = Operator()
    full = operator.creds_file(tmp_path, "full.creds")
    operator.creds_file(
        tmp_path, "reader.creds",
        denied=[f"$O.{bucket}.>", "$JS.API.STREAM.CREATE.>", "$KV.JETSTOW_S3_UPLOADS.>"],
    )  # fmt: skip
    keys = tmp_path / "keys.toml"
    keys.write_text(
        '[[key]]\naccess_key = "FULL"\nsecret_key = "full-secret"\nuser = "one"\n\n'
        '[[key]]\naccess_key = "READER"\nsecret_key = "reader-secret"\nuser = "one"\n'
        'creds = "reader.creds"\n'
    )
    options = ("--creds", str(full), "--keys", str(keys))
    with (
        NatsServer(config=operator.server_config()) as nats,
        Served(nats.url, *options, home=tmp_path) as served,
    ):
        client = new_client(served.url, served.key)
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="a", Body=b"hello")
        upload = client.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
        reader = new_client(served.url, Key("READER", "reader-secret"))
        assert reader.get_object(Bucket=bucket, Key="a")["Body"].read() == b"hello"
        for refused in (
            lambda: reader.put_object(Bucket=bucket, Key="b", Body=b"1"),
            lambda: reader.delete_object(Bucket=bucket, Key="a"),
            lambda: reader.create_bucket(Bucket=f"{bucket}-2"),
            # nats-py waited for its timeout, and the answer was 503.
            lambda: reader.create_multipart_upload(Bucket=bucket, Key="b"),
            lambda: reader.abort_multipart_upload(Bucket=bucket, Key="b", UploadId=upload),
        ):
            with pytest.raises(ClientError) as caught:
                refused()
            assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_keys_whose_nats_connection_fails(tmp_path: Path) -> None:
    """The first connection was tried forever, and requests of all keys with `creds` waited for it.

    A later request tries again.
    """
    operator = Operator()
    full = operator.creds_file(tmp_path, "full.creds")
    operator.creds_file(tmp_path, "good.creds")
    refused = Operator().creds_file(tmp_path, "refused.creds")
    (tmp_path / "invalid.creds").write_text("no credentials")
    names = ("refused", "good", "invalid")
    keys = tmp_path / "keys.toml"
    keys.write_text(
        '[[key]]\naccess_key = "FULL"\nsecret_key = "secret"\nuser = "one"\n'
        + "".join(
            f'[[key]]\naccess_key = "{name}"\nsecret_key = "secret"\nuser = "one"\n'
            f'creds = "{name}.creds"\n'
            for name in names
        )
    )
    options = ("--creds", str(full), "--keys", str(keys))
    with (
        NatsServer(config=operator.server_config()) as nats,
        Served(nats.url, *options, home=tmp_path) as served,
        ThreadPoolExecutor(6) as pool,
    ):

        def answer(name: str) -> tuple[str, int]:
            key = Key(name, "secret")
            return name, send_signed(served, "GET", "/?x-id=ListBuckets", key=key).status

        assert set(pool.map(answer, names * 2)) == {
            ("refused", 403),
            ("good", 200),
            ("invalid", 500),
        }
        operator.creds_file(tmp_path, refused.name)
        assert answer("refused") == ("refused", 200)
        nats.stop()
        nats.start()
        wait_until(lambda: answer("good")[1] == 200)
    assert any("refused the credentials" in line for line in served.log)
    assert not any("Traceback" in line for line in served.log)


def test_nats_credentials_that_expire(tmp_path: Path) -> None:
    """The requests of the key were 503 until the gateway was started again."""
    operator = Operator()
    full = operator.creds_file(tmp_path, "full.creds")
    operator.creds_file(tmp_path, "short.creds")
    keys = tmp_path / "keys.toml"
    keys.write_text(
        '[[key]]\naccess_key = "FULL"\nsecret_key = "secret"\nuser = "one"\n'
        '[[key]]\naccess_key = "SHORT"\nsecret_key = "secret"\nuser = "one"\n'
        'creds = "short.creds"\n'
    )
    options = ("--creds", str(full), "--keys", str(keys))
    with (
        NatsServer(config=operator.server_config()) as nats,
        Served(nats.url, *options, home=tmp_path) as served,
    ):

        def status() -> int:
            key = Key("SHORT", "secret")
            return send_signed(served, "GET", "/?x-id=ListBuckets", key=key).status

        operator.creds_file(tmp_path, "short.creds", lifetime=3)
        assert status() == 200
        wait_until(lambda: status() == 403)
        operator.creds_file(tmp_path, "short.creds")
        assert status() == 200


def test_nats_server_that_is_away(tmp_path: Path, bucket: str) -> None:
    """The gateway waits for it as long as it takes, and reports that it is not ready."""
    with NatsServer() as nats, Served(nats.url, home=tmp_path) as served:
        client = new_client(served.url, served.key)
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="a", Body=b"1")
        nats.stop()
        served.wait_ready(503)
        assert served.get_admin("/healthz").status_code == 200
        nats.start()
        served.wait_ready()
        assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


def test_requests_end_while_nats_is_away(bucket: str) -> None:
    """They waited without limit for the connection."""
    with NatsServer() as nats, RunningGateway(nats.url, outage_limit=0.3) as gateway:
        client = gateway.client()
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="a", Body=b"1")
        with ThreadPoolExecutor(2) as pool, socket.socket() as upload:
            upload.connect((gateway.host, gateway.port))
            headers = {
                "Host": f"{gateway.host}:{gateway.port}", "Content-Length": "10000000",
                **signed_headers(gateway, "PUT", f"/{bucket}/b"),
            }  # fmt: skip
            upload.sendall(request_head("PUT", f"/{bucket}/b", headers) + bytes(1_000_000))
            nats.stop()
            target = f"/{bucket}?location"
            waiting = [pool.submit(send_signed, gateway, "GET", target) for _ in range(2)]
            for future in waiting:
                response = future.result()
                assert (response.status, response.code) == (503, "ServiceUnavailable")
            assert upload.recv(65536).startswith(b"HTTP/1.1 503 ")
        nats.start()
        wait_until(lambda: send_signed(gateway, "GET", target).status == 200)
        assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
        assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
