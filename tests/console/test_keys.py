"""The access keys in the console: list, add, change, revoke, and who may do that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError

from jetstow.s3 import Key
from jetstow.s3.auth.keys import load_keys
from tests.support.cli import wait_until
from tests.support.console import ConsoleClient, RunningConsole, error_code
from tests.support.gateway import new_client
from tests.support.served import Served

if TYPE_CHECKING:
    from tests.support.servers import NatsServer

ADMIN = Key("ADMIN", "admin-secret", "ada", "Ada", admin=True)
CONTENT = """\
# Keys of the test.
[[key]]
access_key = "ADMIN"
secret_key = "admin-secret"
user = "ada"
name = "Ada"
admin = true

[[key]]
access_key = "PLAIN"
secret_key = "plain-secret"
"""


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(CONTENT)
    path.chmod(0o600)
    return path


@pytest.fixture
def own(server: NatsServer, key_file: Path) -> Iterator[RunningConsole]:
    """A console with a key file of its own."""
    with RunningConsole(server.url, keys=load_keys(key_file)) as running:
        yield running


def code_of(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    return str(raised.value.response["Error"]["Code"])


def test_life_of_a_key(own: RunningConsole, key_file: Path) -> None:
    with own.sign_in(ADMIN) as admin:
        listed = admin.get("keys").json()
        assert listed["writable"]
        assert [key["access_key"] for key in listed["keys"]] == ["ADMIN", "PLAIN"]
        assert "secret" not in str(listed)
        given = {"name": "Reports", "user": "ada", "allow": "full", "buckets": ["key-life-*"]}
        added = admin.post("keys", json=given)
        assert added.status_code == 201
        fields = added.json()
        key = Key(fields["access_key"], fields.pop("secret_key"), "ada", "Reports")
        assert fields == {**given, "access_key": key.access_key, "admin": False, "creds": False}
        assert admin.get("keys").json()["keys"][2] == fields

        s3 = own.client(key)
        s3.create_bucket(Bucket="key-life-1")
        assert code_of(s3.create_bucket, Bucket="other") == "AccessDenied"
        with own.sign_in(key) as user:
            assert user.get("keys").status_code == 403
            changed = admin.patch(f"keys/{key.access_key}", json={"allow": "read", "name": ""})
            assert changed.json() == {**fields, "allow": "read", "name": ""}
            assert code_of(s3.delete_bucket, Bucket="key-life-1") == "AccessDenied"
            assert user.get("session").json()["allow"] == "read"

            assert admin.delete(f"keys/{key.access_key}").status_code == 204
            assert code_of(s3.list_buckets) == "InvalidAccessKeyId"
            assert error_code(user.get("session")) == "SignInRequired"
    assert key_file.read_text().startswith("# Keys of the test.\n[[key]]")
    assert key_file.stat().st_mode & 0o777 == 0o600
    own.client(ADMIN).delete_bucket(Bucket="key-life-1")


def test_refused_changes(own: RunningConsole, key_file: Path) -> None:
    with own.sign_in(ADMIN) as admin:
        bodies: tuple[object, ...] = (
            {"admin": "yes"}, {"allow": "all"}, {"buckets": []}, {"buckets": ["*", ""]},
            {"buckets": "*"}, {"name": "a\nb"}, {"user": "x" * 129}, {"access_key": "MINE"}, [],
        )  # fmt: skip
        for body in bodies:
            assert error_code(admin.post("keys", json=body)) == "InvalidArgument", body
        assert error_code(admin.patch("keys/PLAIN", json={"user": "x"})) == "InvalidArgument"
        assert error_code(admin.post("keys", content=b"{")) == "InvalidRequest"
        json_type = {"content-type": "application/json"}
        surrogate = admin.post("keys", content=b'{"name": "\\ud800"}', headers=json_type)
        assert surrogate.status_code == 400
        assert error_code(admin.patch("keys/NONE", json={})) == "InvalidAccessKeyId"
        assert error_code(admin.delete("keys/NONE")) == "InvalidAccessKeyId"
        assert error_code(admin.delete("keys/ADMIN")) == "LastAdmin"
        assert error_code(admin.patch("keys/ADMIN", json={"admin": False})) == "LastAdmin"
        assert key_file.read_text() == CONTENT
        key_file.write_text("[[key")
        assert error_code(admin.delete("keys/PLAIN")) == "KeyFileNotWritable"
        key_file.unlink()
        assert not admin.get("keys").json()["writable"]
        assert error_code(admin.delete("keys/PLAIN")) == "KeyFileNotWritable"
        assert len(admin.get("keys").json()["keys"]) == 2, "the gateway keeps its keys"


def test_keys_of_other_callers(console: RunningConsole, own: RunningConsole) -> None:
    with own.sign_in(Key("PLAIN", "plain-secret")) as plain:
        calls = (
            plain.get("keys"), plain.post("keys", json={}), plain.patch("keys/PLAIN", json={}),
            plain.delete("keys/ADMIN"),
        )  # fmt: skip
        assert {error_code(response) for response in calls} == {"NotAnAdmin"}
        del plain.cookies["jetstow_session"]
        assert plain.get("keys").status_code == 401
    with console.sign_in() as client:  # its gateway has no key file
        assert client.get("keys").json()["writable"] is False
        assert error_code(client.post("keys", json={})) == "KeyFileNotWritable"


@pytest.mark.slow
def test_keys_of_all_workers(server: NatsServer, tmp_path: Path) -> None:
    """A key works at each worker soon after it was added, and a removed one at none."""
    with (
        Served(server.url, "--workers", "2", home=tmp_path) as served,
        ConsoleClient(served.url) as admin,
        ExitStack() as stack,
    ):
        admin.sign_in(served.key)
        added = admin.post("keys", json={"user": "x"}).json()
        key = Key(added["access_key"], added["secret_key"])
        url = new_client(served.url, key).generate_presigned_url("list_buckets")
        # Connections that stay open: the workers take them in turn, more or less.
        clients = [stack.enter_context(httpx.Client()) for _ in range(8)]

        def statuses() -> set[int]:
            return {client.get(url).status_code for client in clients}

        wait_until(lambda: statuses() == {200})
        assert admin.delete(f"keys/{key.access_key}").status_code == 204
        wait_until(lambda: statuses() == {403})
