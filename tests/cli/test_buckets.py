"""mb, rb, buckets, status, seal."""

from __future__ import annotations

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli, wait_until
from tests.support.servers import NatsServer


@pytest.fixture
def cli(server: NatsServer) -> Cli:
    return Cli(server)


def test_a_bucket_is_made_and_described(cli: Cli, bucket: str) -> None:
    made = cli.run(
        "mb", bucket, "--description", "what it is", "--ttl", "30d", "--max-bytes", "10M",
        "--storage", "memory",
    )  # fmt: skip
    assert made.stdout == f"bucket {bucket!r} is ready\n"
    status = cli.json("status", bucket)
    assert status["description"] == "what it is"
    assert status["ttl"] == 30 * 86400
    assert status["max_bytes"] == 10 << 20
    assert status["storage"] == "memory"
    assert status["replicas"] == 1
    assert (status["size"], status["sealed"]) == (0, False)
    text = cli.out("status", bucket)
    assert "description  what it is\n" in text
    assert "0 B of at most 10.0 MiB (0 bytes)" in text
    assert "expiry       30d after" in text


@pytest.mark.min_server("2.10")
def test_a_bucket_with_notes_and_compression(cli: Cli, bucket: str) -> None:
    made = cli.json("mb", bucket, "--metadata", "owner=me", "--compression", "s2")
    assert (made["metadata"], made["compressed"]) == ({"owner": "me"}, True)
    text = cli.out("info", bucket)
    assert "storage   file, compressed\n" in text
    assert "metadata  owner = me\n" in text


def test_the_same_bucket_again_is_fine_and_another_one_of_its_name_is_not(
    cli: Cli, bucket: str
) -> None:
    cli.run("mb", bucket)
    cli.run("mb", bucket)
    error = cli.error(errors.CONFLICT, "mb", bucket, "--description", "another")
    assert bucket in error


def test_what_cannot_be_a_bucket(cli: Cli, bucket: str) -> None:
    assert "not allowed" in cli.error(errors.USAGE, "mb", "a b")
    assert bucket in cli.error(errors.USAGE, "mb", bucket, "--replicas", "3")


def test_buckets_are_listed_by_name(cli: Cli, bucket: str) -> None:
    cli.run("mb", f"{bucket}-b", "--description", "the second")
    cli.run("mb", f"{bucket}-a")
    cli.run("put", "-", f"{bucket}-a/x", stdin=b"12345")
    listed = [each for each in cli.json("buckets") if each["bucket"].startswith(bucket)]
    assert [each["bucket"] for each in listed] == [f"{bucket}-a", f"{bucket}-b"]
    assert listed[0]["size"] > 5
    heading, *rows = cli.out("buckets").splitlines()
    assert heading.split() == ["SIZE", "CREATED", "BUCKET", "DESCRIPTION"]
    assert any(row.split()[:2] == ["0", "B"] and row.endswith("  the second") for row in rows)
    assert f"{bucket}-a\n{bucket}-b\n" in cli.out("ls")
    assert cli.out("ls", "-l") == cli.out("buckets")
    assert cli.json("ls") == cli.json("buckets")


def test_an_empty_bucket_goes_at_once(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    assert cli.json("rb", bucket) == {"bucket": bucket, "removed": True}
    assert cli.error(errors.NOT_FOUND, "rb", bucket) == f"there is no bucket {bucket!r}"


def test_a_bucket_with_something_in_it_goes_only_if_that_is_meant(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    error = cli.error(errors.USAGE, "rb", bucket, stdin=b"y\n")
    assert "is not empty" in error
    assert "--yes" in error
    assert cli.out("cat", f"{bucket}/x") == "x"
    cli.run("rb", "--yes", bucket)
    cli.error(errors.NOT_FOUND, "ls", bucket)


def test_a_bucket_with_deleted_objects_only_is_empty(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    cli.run("rm", f"{bucket}/x")
    cli.run("rb", bucket)


def test_a_sealed_bucket_changes_no_more(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    assert "cannot be undone" in cli.error(errors.USAGE, "seal", bucket)
    assert cli.json("seal", bucket, "-y")["sealed"] is True
    assert "sealed" in cli.error(errors.CONFLICT, "rm", f"{bucket}/x")
    assert "sealed" in cli.run("put", "-", f"{bucket}/y", stdin=b"y", code=errors.CONFLICT).stderr
    assert cli.out("cat", f"{bucket}/x") == "x"
    assert f"{bucket} (sealed)" in cli.out("buckets")
    cli.run("rb", "-y", bucket)


def test_status_without_a_bucket_is_the_servers(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    status = cli.json("status")
    assert status["server"] == f"127.0.0.1:{cli.server.port}"
    assert status["chosen_by"] == "--server"
    assert status["version"] == cli.server.version
    assert status["max_payload"] == 1 << 20
    assert status["buckets"] == len(cli.json("buckets"))
    assert f"version  {cli.server.version}\n" in cli.out("status")


def test_a_command_leaves_no_connection(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    wait_until(lambda: cli.connections() == 0)
