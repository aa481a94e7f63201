"""mb, rb, buckets, status, seal."""

from __future__ import annotations

import pytest

from jetstow.cli import errors
from tests.support import raw_stream
from tests.support.cli import Cli, wait_until
from tests.support.servers import NatsServer


@pytest.fixture
def cli(server: NatsServer) -> Cli:
    return Cli(server)


def test_mb_with_options(cli: Cli, bucket: str) -> None:
    result = cli.run(
        "mb", bucket, "--description", "what it is", "--ttl", "30d", "--max-bytes", "10M",
        "--storage", "memory",
    )  # fmt: skip
    assert result.stdout == f"bucket {bucket!r} is ready\n"
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
def test_mb_with_metadata_and_compression(cli: Cli, bucket: str) -> None:
    data = cli.json("mb", bucket, "--metadata", "owner=me", "--compression", "s2")
    assert (data["metadata"], data["compressed"]) == ({"owner": "me"}, True)
    text = cli.out("info", bucket)
    assert "storage   file, compressed\n" in text
    assert "metadata  owner = me\n" in text


def test_mb_of_an_existing_bucket(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("mb", bucket)
    error = cli.error(errors.CONFLICT, "mb", bucket, "--description", "another")
    assert bucket in error


def test_mb_with_invalid_arguments(cli: Cli, bucket: str) -> None:
    assert "not allowed" in cli.error(errors.USAGE, "mb", "a b")
    assert bucket in cli.error(errors.USAGE, "mb", bucket, "--replicas", "3")


def test_buckets_sorted_by_name(cli: Cli, bucket: str) -> None:
    cli.run("mb", f"{bucket}-b", "--description", "the second")
    cli.run("mb", f"{bucket}-a")
    cli.run("put", "-", f"{bucket}-a/x", stdin=b"12345")
    buckets = [item for item in cli.json("buckets") if item["bucket"].startswith(bucket)]
    assert [item["bucket"] for item in buckets] == [f"{bucket}-a", f"{bucket}-b"]
    assert buckets[0]["size"] > 5
    heading, *rows = cli.out("buckets").splitlines()
    assert heading.split() == ["SIZE", "CREATED", "BUCKET", "DESCRIPTION"]
    assert any(row.split()[:2] == ["0", "B"] and row.endswith("  the second") for row in rows)
    assert f"{bucket}-a\n{bucket}-b\n" in cli.out("ls")
    assert cli.out("ls", "-l") == cli.out("buckets")
    assert cli.json("ls") == cli.json("buckets")


def test_rb_of_an_empty_bucket(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    assert cli.json("rb", bucket) == {"bucket": bucket, "removed": True}
    assert cli.error(errors.NOT_FOUND, "rb", bucket) == f"there is no bucket {bucket!r}"


def test_rb_of_a_full_bucket_needs_yes(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    error = cli.error(errors.USAGE, "rb", bucket, stdin=b"y\n")
    assert "is not empty" in error
    assert "--yes" in error
    assert cli.out("cat", f"{bucket}/x") == "x"
    cli.run("rb", "--yes", bucket)
    cli.error(errors.NOT_FOUND, "ls", bucket)


def test_rb_of_a_bucket_with_deleted_objects_only(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    cli.run("rm", f"{bucket}/x")
    cli.run("rb", bucket)


def test_rb_of_a_bucket_with_unreadable_metadata_only(cli: Cli, bucket: str) -> None:
    """It is not empty: it needs a confirmation, and no warning once that is given."""
    cli.run("mb", bucket)
    cli.inspect(lambda nc: raw_stream.write_metadata(nc, bucket, "x", b"no JSON"))
    refused = cli.run("rb", bucket, code=errors.USAGE)
    assert f"bucket {bucket!r} is not empty" in refused.stderr
    cli.run("rb", bucket, "--yes")
    cli.error(errors.NOT_FOUND, "ls", bucket)


def test_rb_of_a_bucket_with_older_versions_only(cli: Cli, bucket: str) -> None:
    """They were deleted without a confirmation."""
    cli.run("mb", "--versioned", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    cli.run("rm", f"{bucket}/x")
    refused = cli.run("rb", bucket, code=errors.USAGE)
    assert f"bucket {bucket!r} has no objects, but older versions" in refused.stderr
    cli.run("rb", bucket, "--yes")


def test_seal_makes_a_bucket_read_only(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    assert "cannot be undone" in cli.error(errors.USAGE, "seal", bucket)
    assert cli.json("seal", bucket, "-y")["sealed"] is True
    assert "sealed" in cli.error(errors.CONFLICT, "rm", f"{bucket}/x")
    assert "sealed" in cli.run("put", "-", f"{bucket}/y", stdin=b"y", code=errors.CONFLICT).stderr
    assert cli.out("cat", f"{bucket}/x") == "x"
    assert f"{bucket} (sealed)" in cli.out("buckets")
    cli.run("rb", "-y", bucket)


def test_status_of_the_server(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    status = cli.json("status")
    assert status["server"] == f"127.0.0.1:{cli.server.port}"
    assert status["chosen_by"] == "--server"
    assert status["version"] == cli.server.version
    assert status["max_payload"] == 1 << 20
    assert status["buckets"] == len(cli.json("buckets"))
    assert f"version      {cli.server.version}\n" in cli.out("status")


def test_connection_is_closed_after_a_command(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    wait_until(lambda: cli.connections() == 0)
