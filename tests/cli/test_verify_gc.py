"""verify and gc."""

from __future__ import annotations

import asyncio

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.cli import errors
from tests.support import object_builder, raw_stream
from tests.support.cli import Cli
from tests.support.samples import some_bytes

SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))


@pytest.fixture
def full(cli: Cli, bucket: str) -> str:
    """A bucket with two objects and a link."""

    async def fill() -> None:
        async with await jetstow.connect(cli.server.url) as nc:
            store = await nc.jetstream().object_store(bucket)
            await store.put("a", some_bytes(95_000), SMALL_CHUNKS)
            await store.put("b", b"b")
            await store.add_link("link", "b")

    asyncio.run(fill())
    return bucket


def damage(cli: Cli, bucket: str) -> None:
    nuid = cli.json("info", f"{bucket}/a")["nuid"]
    cli.inspect(lambda nc: object_builder.delete_chunks(nc, bucket, nuid, 3))
    cli.run("rm", f"{bucket}/b")


def leave_garbage(cli: Cli, bucket: str) -> None:
    cli.inspect(lambda nc: object_builder.write_chunks(nc, bucket, [b"1", b"2", b"3"]))


def test_verify_a_bucket(cli: Cli, full: str) -> None:
    line = f"bucket {full!r}: 2 objects (92.8 KiB) and 1 link, no problems\n"
    assert cli.out("verify", full) == line
    assert cli.out("verify", f"{full}/", "--quick") == line
    assert cli.out("verify", f"{full}/b") == f"{full}/b: 1 object (1 B), no problems\n"
    leave_garbage(cli, full)
    assert cli.out("verify", full, "--quick") == line.replace("\n", "; 3 unused chunks\n")
    assert cli.json("verify", full) == [
        {
            "bucket": full, "name": None, "quick": False, "ok": True, "objects": 2, "links": 1,
            "size": 95_001, "unused": None, "findings": [],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("option", [(), ("--quick",)])
def test_verify_a_damaged_bucket(cli: Cli, full: str, option: tuple[str, ...]) -> None:
    damage(cli, full)
    result = cli.run("verify", full, *option, code=errors.DAMAGED)
    assert not result.stderr
    first, second, last = result.stdout.splitlines()
    assert first.startswith(f"{full}/a: object 'a' in bucket {full!r} ")
    assert second == f"{full}/link: there is no object 'b' in bucket {full!r}: it was deleted"
    assert last.startswith(f"bucket {full!r}: 1 object (")
    assert last.endswith(" and 1 link, 2 problems")
    result = cli.run("verify", f"{full}/link", "--json", *option, code=errors.DAMAGED)
    assert '"kind": "ObjectDeletedError"' in result.stdout
    cli.run("rb", full, "--yes")


def test_verify_every_bucket(cli: Cli, full: str) -> None:
    cli.run("mb", f"{full}-2")
    lines = cli.out("verify").splitlines()
    assert f"bucket '{full}-2': 0 objects (0 B), no problems" in lines
    damage(cli, full)
    result = cli.run("verify", "--json", code=errors.DAMAGED)
    assert '"kind": "ChunksLostError"' in result.stdout
    cli.run("rb", full, "--yes")


@pytest.mark.parametrize("command", ["verify", "gc"])
def test_bucket_whose_stream_would_lose_bytes(cli: Cli, full: str, command: str) -> None:
    """It is reported, and the other buckets follow."""
    bucket = f"0{full}"
    cli.inspect(lambda nc: raw_stream.create(nc, bucket, max_msgs_per_subject=1))
    result = cli.run(command, code=errors.ERROR)
    assert result.stderr.startswith(f"jetstow: bucket {bucket!r} would lose bytes: its stream")
    assert f"bucket {full!r}: " in result.stdout
    cli.run("rb", bucket, "--yes")


def test_verify_a_missing_bucket_and_object(cli: Cli, bucket: str) -> None:
    assert "there is no bucket" in cli.error(errors.NOT_FOUND, "verify", f"{bucket}-none")
    assert "there is no object" in cli.error(errors.NOT_FOUND, "verify", f"{bucket}/none")


def test_gc_a_bucket(cli: Cli, full: str) -> None:
    leave_garbage(cli, full)
    prefix = f"bucket {full!r}: "
    assert cli.out("gc", full) == (
        f"{prefix}nothing to remove; kept 1 upload younger than the grace period\n"
    )
    assert cli.out("gc", full, "--grace", "0", "-n") == (
        f"{prefix}would remove 3 chunks of 1 upload\n"
    )
    assert cli.chunks(full) == 14
    assert cli.json("gc", full, "--grace", "0s") == [
        {
            "bucket": full, "dry_run": False, "uploads": 1, "messages": 3, "recent": 0,
            "names": [], "markers": 0, "versions": 0, "findings": [],
        }
    ]  # fmt: skip
    assert cli.chunks(full) == 11
    assert cli.out("gc", full, "--grace", "0") == f"{prefix}nothing to remove\n"


def test_gc_delete_markers(cli: Cli, full: str) -> None:
    cli.run("rm", f"{full}/b")
    prefix = f"bucket {full!r}: "
    assert cli.out("gc", full, "--deleted", "7d") == f"{prefix}nothing to remove\n"
    assert cli.out("gc", full, "--deleted", "0", "-n") == f"{prefix}would remove 1 delete marker\n"
    assert cli.json("gc", full, "--deleted", "0")[0]["markers"] == 1
    assert cli.out("gc", full, "--deleted", "0") == f"{prefix}nothing to remove\n"


def test_gc_every_bucket_except_sealed_ones(cli: Cli, full: str) -> None:
    leave_garbage(cli, full)
    cli.run("mb", f"{full}-2")
    leave_garbage(cli, f"{full}-2")
    cli.run("seal", f"{full}-2", "--yes")
    lines = cli.out("gc", "--grace", "0").splitlines()
    assert f"bucket {full!r}: removed 3 chunks of 1 upload" in lines
    assert not any(f"{full}-2" in line for line in lines)
    assert "is sealed" in cli.error(errors.CONFLICT, "gc", f"{full}-2")


def test_gc_with_unreadable_metadata(cli: Cli, full: str) -> None:
    leave_garbage(cli, full)
    cli.inspect(lambda nc: raw_stream.write_metadata(nc, full, "c", b"no JSON"))
    result = cli.run("gc", full, "--grace", "0", code=errors.DAMAGED)
    assert result.stdout == f"bucket {full!r}: nothing to remove\n"
    assert result.stderr.startswith(f"jetstow: metadata of object 'c' in bucket {full!r} ")
    assert "is not a time" in cli.error(errors.USAGE, "gc", full, "--grace", "soon")
    cli.run("rb", full, "--yes")
