"""edit: changes that keep the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import jetstow
from jetstow.cli import errors
from tests.support.cli import Cli
from tests.support.servers import NatsServer


@pytest.fixture
def cli(server: NatsServer, bucket: str) -> Cli:
    cli = Cli(server)
    cli.run(
        "mb", bucket, "--description", "ours", "--ttl", "30d", "--max-bytes", "10M",
        "--metadata", "a=1", "--metadata", "b=2", "--compression", "s2",
    )  # fmt: skip
    return cli


@pytest.fixture
def address(cli: Cli, bucket: str) -> str:
    """An object with all metadata that the command line can set."""
    cli.run(
        "put", "-", f"{bucket}/o", "--description", "it", "--content-type", "x/y", "--tag", "t",
        "--tag", "u", "--header", "H=1", "--header", "H=2", "--header", "K=v",
        "--metadata", "m=1", "--metadata", "n=2", stdin=b"bytes",
    )  # fmt: skip
    return f"{bucket}/o"


STATED = ("description", "content_type", "tags", "headers", "metadata", "digest", "nuid")


def stated(data: dict[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in STATED}


HEADERS = {"H": ["1", "2"], "K": ["v"], "Content-Type": ["x/y"], "Tags": ["t", "u"]}


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["--description", "that"], {"description": "that"}),
        (["--description", ""], {"description": None}),
        (
            ["--content-type", "a/b"],
            {"content_type": "a/b", "headers": HEADERS | {"Content-Type": ["a/b"]}},
        ),
        (
            ["--tag", "v", "--tag", "t", "--remove-tag", "u"],
            {"tags": ["t", "v"], "headers": HEADERS | {"Tags": ["t", "v"]}},
        ),
        (["--header", "h=3", "--header", "h=4"], {"headers": {**HEADERS, "h": ["3", "4"]}}),
        (["--remove-header", "k"], {"headers": {k: v for k, v in HEADERS.items() if k != "K"}}),
        (
            ["--metadata", "m=3", "--metadata", "o=4", "--remove-metadata", "n"],
            {"metadata": {"m": "3", "o": "4"}},
        ),
    ],
)
def test_object_keeps_the_rest(
    cli: Cli, address: str, options: list[str], changed: dict[str, Any]
) -> None:
    before = stated(cli.json("info", address))
    assert before["headers"] == HEADERS
    after = stated(cli.json("edit", address, *options))
    expected = before | changed
    if "h" in expected["headers"]:
        del expected["headers"]["H"]  # the case of a header's name is ignored
    assert after == expected
    assert stated(cli.json("info", address)) == after
    assert cli.out("cat", address) == "bytes"


def test_object_output(cli: Cli, address: str) -> None:
    assert cli.out("edit", address, "--tag", "x") == f"changed {address}\n"
    assert cli.out("edit", address, "--tag", "x", "--quiet") == ""
    error = cli.error(errors.NOT_FOUND, "edit", f"{address}-no", "--tag", "x")
    assert error.startswith("there is no object 'o-no'")
    assert "KEY=VALUE" in cli.error(errors.USAGE, "edit", address, "--metadata", "x")


def test_concurrent_edits_are_all_kept(
    cli: Cli, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag that was added between the read and the write of another `edit` was lost."""
    update = jetstow.ObjectStore.update_meta

    async def tag_and_update(
        store: jetstow.ObjectStore, name: str, meta: jetstow.ObjectMeta, **options: Any
    ) -> jetstow.ObjectInfo:
        monkeypatch.undo()
        info = await store.get_info(name)
        await update(store, name, replace(info.meta, tags=["concurrent"]))
        return await update(store, name, meta, **options)

    monkeypatch.setattr(jetstow.ObjectStore, "update_meta", tag_and_update)
    cli.run("edit", address, "--tag", "x")
    assert cli.json("info", address)["tags"] == ["concurrent", "x"]


def test_encrypted_object(cli: Cli, bucket: str, tmp_path: Any) -> None:
    key = ("--key-file", str(tmp_path / "key"))
    cli.run("keygen", key[1])
    cli.run("put", "-", f"{bucket}/e", *key, stdin=b"secret")
    cli.run("edit", f"{bucket}/e", "--tag", "x")
    assert cli.out("cat", f"{bucket}/e", *key) == "secret"


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["--description", "yours"], {"description": "yours"}),
        (["--description", ""], {"description": None}),
        (["--ttl", "1h"], {"ttl": 3600}),
        (["--ttl", "0"], {"ttl": None}),
        (["--max-bytes", "20M"], {"max_bytes": 20 << 20}),
        (["--max-bytes", "0"], {"max_bytes": None}),
        (["--replicas", "1"], {}),
        (["--metadata", "b=3", "--remove-metadata", "a"], {"metadata": {"b": "3"}}),
    ],
)
def test_bucket_keeps_the_rest(
    cli: Cli, bucket: str, options: list[str], changed: dict[str, Any]
) -> None:
    before = cli.json("status", bucket)
    after = cli.json("edit", bucket, *options)
    after["description"] = after["description"] or None
    assert after == before | changed
    assert cli.out("edit", f"jetstow://{bucket}/", *options) == f"changed bucket {bucket!r}\n"


def test_bucket_errors(cli: Cli, bucket: str) -> None:
    cli.error(errors.NOT_FOUND, "edit", f"{bucket}-no", "--ttl", "1h")
    assert bucket in cli.error(errors.USAGE, "edit", bucket, "--replicas", "3")
