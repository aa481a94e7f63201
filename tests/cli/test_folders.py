"""ls and rm of folders and patterns, cat of ranges, and the jetstow:// form of names."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import jetstow
from jetstow.cli import errors
from jetstow.cli.commands import rm
from tests.support.cli import Cli
from tests.support.servers import NatsServer

NAMES = ("a.csv", "logs/1.csv", "logs/2.txt", "logs/old/3.csv", "logs2/4.csv", "x")


@pytest.fixture
def cli(server: NatsServer, bucket: str) -> Cli:
    cli = Cli(server)
    cli.run("mb", bucket)
    for name in NAMES:
        cli.run("put", "-", f"{bucket}/{name}", stdin=b"0123456789")
    return cli


def listed(cli: Cli, *arguments: str) -> list[str]:
    return cli.out("ls", *arguments).splitlines()


async def put_empty(cli: Cli, bucket: str, name: str) -> None:
    async with await jetstow.connect(cli.server.url) as nc:
        await (await nc.jetstream().object_store(bucket)).put(name, b"")


# -- ls ----------------------------------------------------------------------------------


def test_ls_one_level(cli: Cli, bucket: str) -> None:
    assert listed(cli, bucket) == ["a.csv", "logs/", "logs2/", "x"]
    assert listed(cli, f"{bucket}/logs") == ["logs/1.csv", "logs/2.txt", "logs/old/"]
    assert listed(cli, f"{bucket}/logs/") == listed(cli, f"{bucket}/logs")
    assert listed(cli, f"{bucket}/logs/old") == ["logs/old/3.csv"]
    assert listed(cli, f"{bucket}/a.csv") == ["a.csv"]
    assert listed(cli, f"{bucket}/lo") == ["logs/", "logs2/"]  # the start of names
    assert listed(cli, f"{bucket}/logs/o") == ["logs/old/"]


def test_ls_recursive(cli: Cli, bucket: str) -> None:
    assert listed(cli, "-r", bucket) == list(NAMES)
    assert listed(cli, "-r", f"{bucket}/logs") == list(NAMES[1:4])
    assert listed(cli, "-r", f"{bucket}/logs/o") == ["logs/old/3.csv"]


def test_ls_of_a_pattern(cli: Cli, bucket: str) -> None:
    assert listed(cli, f"{bucket}/*.csv") == ["a.csv"]
    assert listed(cli, f"{bucket}/logs/*") == ["logs/1.csv", "logs/2.txt"]
    assert listed(cli, f"{bucket}/**.csv") == [name for name in NAMES if name.endswith(".csv")]
    assert "matches '*.no'" in cli.error(errors.NOT_FOUND, "ls", f"{bucket}/*.no")


def test_ls_of_an_object_and_a_folder_with_one_name(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/logs", stdin=b"1")
    asyncio.run(put_empty(cli, bucket, "empty/"))
    assert listed(cli, bucket) == ["a.csv", "empty/", "logs", "logs/", "logs2/", "x"]
    assert listed(cli, f"{bucket}/logs") == ["logs", "logs/1.csv", "logs/2.txt", "logs/old/"]
    assert listed(cli, f"{bucket}/empty") == ["empty/"]


def test_ls_long_and_json(cli: Cli, bucket: str) -> None:
    rows = cli.out("ls", "-l", f"{bucket}/logs").splitlines()
    assert rows[0].split() == ["SIZE", "MODIFIED", "NAME"]
    assert rows[3].split() == ["-", "-", "logs/old/"]
    data = cli.json("ls", f"{bucket}/logs")
    assert [(entry["name"], entry["folder"], entry["size"]) for entry in data] == [
        ("logs/1.csv", False, 10), ("logs/2.txt", False, 10), ("logs/old/", True, 10),
    ]  # fmt: skip
    assert data[2]["objects"] == 1


def test_ls_of_what_does_not_exist(cli: Cli, bucket: str) -> None:
    """It printed nothing, with exit code 0."""
    for name in ("typo", "typo/", "logs/typo"):
        assert cli.error(errors.NOT_FOUND, "ls", f"{bucket}/{name}") == (
            f"there is no object or folder {name!r} in bucket {bucket!r}"
        )
    assert "no bucket" in cli.error(errors.NOT_FOUND, "ls", f"{bucket}-no")


# -- rm ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "deleted"),
    [
        (["{}/*.csv"], ["a.csv"]),
        (["{}/logs/*"], ["logs/1.csv", "logs/2.txt"]),
        (["{}/logs/**"], ["logs/1.csv", "logs/2.txt", "logs/old/3.csv"]),
        (["-r", "{}/logs"], ["logs/1.csv", "logs/2.txt", "logs/old/3.csv"]),
        (["-r", "jetstow://{}/logs/"], ["logs/1.csv", "logs/2.txt", "logs/old/3.csv"]),
        (["-r", "{}/log*"], [name for name in NAMES if name.startswith("log")]),
        (["-r", "{}/logs/o*/"], ["logs/old/3.csv"]),
        (["-r", "{}/x"], ["x"]),
        (["-ry", "{}"], list(NAMES)),
        (["{}/**"], list(NAMES)),
    ],
)
def test_rm_of_folders_and_patterns(
    cli: Cli, bucket: str, arguments: list[str], deleted: list[str]
) -> None:
    arguments = [argument.format(bucket) for argument in arguments]
    planned = cli.out("rm", *arguments, "-n").splitlines()
    assert planned == [f"would delete {bucket}/{name}" for name in deleted]
    assert listed(cli, "-r", bucket) == list(NAMES)
    lines = cli.out("rm", *arguments).splitlines()
    assert lines == [f"deleted {bucket}/{name}" for name in deleted]
    assert listed(cli, "-r", bucket) == [name for name in NAMES if name not in deleted]


def test_rm_without_a_match(cli: Cli, bucket: str) -> None:
    assert "matches '*.no'" in cli.error(errors.NOT_FOUND, "rm", f"{bucket}/*.no")
    assert "matches 'n*'" in cli.error(errors.NOT_FOUND, "rm", "-r", f"{bucket}/n*")
    assert "folder 'no'" in cli.error(errors.NOT_FOUND, "rm", "-r", f"{bucket}/no")
    assert cli.out("rm", "-rf", f"{bucket}/no", f"{bucket}/*.no", f"{bucket}-no/x") == ""
    cli.run("rm", "-ry", bucket)
    assert cli.out("rm", "-ry", bucket) == ""


def test_rm_of_a_name_that_is_a_pattern(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/*.csv", stdin=b"")
    assert cli.out("rm", f"{bucket}/*.csv") == f"deleted {bucket}/*.csv\n"
    assert listed(cli, "-r", bucket) == list(NAMES)


def test_rm_of_a_whole_bucket_asks(cli: Cli, bucket: str) -> None:
    error = cli.error(errors.USAGE, "rm", "-r", bucket)
    assert error == f"bucket {bucket!r} has 6 objects: add --yes to confirm"
    assert listed(cli, "-r", bucket) == list(NAMES)


def test_rm_keeps_what_was_replaced(cli: Cli, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`rm -r` deleted an object that another client had put since the names were listed."""
    delete_many = jetstow.ObjectStore.delete_many

    async def change_and_delete(store: jetstow.ObjectStore, names: Any) -> Any:
        await store.put("logs/2.txt", b"new")
        await store.delete("logs/1.csv")
        return await delete_many(store, names)

    monkeypatch.setattr(jetstow.ObjectStore, "delete_many", change_and_delete)
    result = cli.run("rm", "-r", f"{bucket}/logs", code=errors.CONFLICT)
    assert result.stdout == f"deleted {bucket}/logs/old/3.csv\n"
    replaced, deleted = result.stderr.splitlines()
    assert "object 'logs/2.txt'" in replaced
    assert "it was changed" in replaced
    assert "'logs/1.csv'" in deleted
    assert "it was deleted" in deleted
    monkeypatch.undo()
    assert listed(cli, "-r", f"{bucket}/logs") == ["logs/2.txt"]


def test_rm_goes_on_after_a_bucket_that_is_sealed(cli: Cli, bucket: str) -> None:
    cli.run("mb", f"{bucket}-2")
    cli.run("put", "-", f"{bucket}-2/a", stdin=b"")
    cli.run("seal", "-y", f"{bucket}-2")
    error = cli.error(errors.CONFLICT, "rm", f"{bucket}-2/a", f"{bucket}/x")
    assert "is sealed" in error
    assert "x" not in listed(cli, "-r", bucket)


def test_rm_of_many_objects(cli: Cli, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rm, "BATCH_SIZE", 2)
    lines = cli.out("rm", f"{bucket}/**").splitlines()
    assert lines == [f"deleted {bucket}/{name}" for name in NAMES]
    assert listed(cli, "-r", bucket) == []


def test_rm_of_what_is_deleted(cli: Cli, bucket: str) -> None:
    cli.run("rm", f"{bucket}/x")
    assert cli.error(errors.NOT_FOUND, "rm", f"{bucket}/x") == (
        f"there is no object 'x' in bucket {bucket!r}: it was deleted"
    )
    assert cli.out("rm", "-f", f"{bucket}/x") == ""


# -- cat, URLs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--offset", "7"], "789"),
        (["--length", "3"], "012"),
        (["--offset", "2", "--length", "3"], "234"),
        (["--offset", "8", "--length", "1K"], "89"),
        (["--offset", "10"], ""),
        (["--length", "0"], ""),
    ],
)
def test_cat_of_a_range(cli: Cli, bucket: str, options: list[str], expected: str) -> None:
    assert cli.out("cat", f"{bucket}/x", *options) == expected
    error = cli.error(errors.USAGE, "cat", f"{bucket}/x", "--offset", "11")
    assert error == f"'{bucket}/x' has 10 bytes: --offset 11 is behind its end"


def test_cat_of_a_large_range(cli: Cli, bucket: str) -> None:
    data = b"".join(number.to_bytes(4, "big") for number in range(750_000))
    cli.run("put", "-", f"{bucket}/large", stdin=data)
    result = cli.run("cat", f"{bucket}/large", "--offset", "500001", "--length", "2M")
    assert result.stdout_bytes == data[500_001 : 500_001 + (2 << 20)]


def test_urls_are_accepted_everywhere(cli: Cli, bucket: str, tmp_path: object) -> None:
    url = f"jetstow://{bucket}"
    commands = [
        ["mb", url], ["ls", url], ["ls", f"{url}/logs/"], ["info", f"{url}/x"], ["status", url],
        ["du", url], ["find", url], ["verify", url], ["gc", url], ["cat", f"{url}/x"],
        ["get", f"{url}/x", f"{tmp_path}/x"], ["put", f"{tmp_path}/x", f"{url}/y"],
        ["cp", f"{url}/x", f"{tmp_path}/z"], ["cp", f"{tmp_path}/z", f"{url}/"],
        ["mv", f"{url}/z", f"{url}/w"], ["ln", f"{url}/x", f"{url}/link"],
        ["edit", f"{url}/x", "--tag", "t"], ["watch", url, "--count", "1"],
        ["sync", f"{url}/logs/", f"{tmp_path}/out"], ["sync", f"{tmp_path}/out", f"{url}/in"],
        ["backup", url, f"{tmp_path}/b.tar"], ["restore", f"{tmp_path}/b.tar", url],
        ["mirror", url, f"{url}-2"], ["rm", f"{url}/w"], ["seal", "-y", url], ["rb", "-y", url],
    ]  # fmt: skip
    for command in commands:
        cli.run(*command)
    assert bucket not in listed(cli)
