"""verify, gc: what they find, what they remove, and how they tell."""

from __future__ import annotations

import asyncio

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.cli import errors
from tests.support import object_builder, raw_stream
from tests.support.cli import Cli
from tests.support.samples import some_bytes

CUT = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))


@pytest.fixture
def full(cli: Cli, bucket: str) -> str:
    """A bucket with two objects and a link."""

    async def fill() -> None:
        async with await jetstow.connect(cli.server.url) as nc:
            store = await nc.jetstream().object_store(bucket)
            await store.put("a", some_bytes(95_000), CUT)
            await store.put("b", b"b")
            await store.add_link("link", "b")

    asyncio.run(fill())
    return bucket


def damage(cli: Cli, bucket: str) -> None:
    nuid = cli.json("info", f"{bucket}/a")["nuid"]
    cli.peek(lambda nc: object_builder.lose_chunks(nc, bucket, nuid, 3))
    cli.run("rm", f"{bucket}/b")


def leave(cli: Cli, bucket: str) -> None:
    cli.peek(lambda nc: object_builder.write_chunks(nc, bucket, [b"1", b"2", b"3"]))


def test_verify_a_bucket(cli: Cli, full: str) -> None:
    said = f"bucket {full!r}: 2 objects (92.8 KiB) and 1 link, all is well\n"
    assert cli.out("verify", full) == said
    assert cli.out("verify", f"{full}/", "--quick") == said
    assert cli.out("verify", f"{full}/b") == f"{full}/b: 1 object (1 B), all is well\n"
    leave(cli, full)
    assert cli.out("verify", full, "-q") == said.replace("\n", "; 3 chunks of no object\n")
    assert cli.json("verify", full) == [
        {
            "bucket": full, "name": None, "quick": False, "ok": True, "objects": 2, "links": 1,
            "size": 95_001, "unused": None, "findings": [],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("option", [(), ("--quick",)])
def test_verify_what_is_damaged(cli: Cli, full: str, option: tuple[str, ...]) -> None:
    damage(cli, full)
    result = cli.run("verify", full, *option, code=errors.DAMAGED)
    assert not result.stderr
    first, second, last = result.stdout.splitlines()
    assert first.startswith(f"{full}/a: object 'a' in bucket {full!r} ")
    assert second == f"{full}/link: object 'b' in bucket {full!r} was deleted"
    assert last.startswith(f"bucket {full!r}: 1 object (")
    assert last.endswith(" and 1 link, 2 findings")
    told = cli.run("verify", f"{full}/link", "--json", *option, code=errors.DAMAGED)
    assert '"kind": "ObjectDeletedError"' in told.stdout
    cli.run("rb", full, "--yes")


def test_verify_every_bucket(cli: Cli, full: str) -> None:
    cli.run("mb", f"{full}-2")
    lines = cli.out("verify").splitlines()
    assert f"bucket '{full}-2': 0 objects (0 B), all is well" in lines
    damage(cli, full)
    result = cli.run("verify", "--json", code=errors.DAMAGED)
    assert '"kind": "ChunksLostError"' in result.stdout
    cli.run("rb", full, "--yes")


def test_verify_what_is_not_there(cli: Cli, bucket: str) -> None:
    assert "there is no bucket" in cli.error(errors.NOT_FOUND, "verify", f"{bucket}-none")
    assert "there is no object" in cli.error(errors.NOT_FOUND, "verify", f"{bucket}/none")


def test_gc_a_bucket(cli: Cli, full: str) -> None:
    leave(cli, full)
    begin = f"bucket {full!r}: "
    assert cli.out("gc", full) == f"{begin}nothing removed; 1 upload left, too young to tell\n"
    assert cli.out("gc", full, "--grace", "0", "-n") == (
        f"{begin}3 chunks of 1 upload would be removed\n"
    )
    assert cli.chunks(full) == 14
    assert cli.json("gc", full, "--grace", "0s") == [
        {
            "bucket": full, "dry_run": False, "uploads": 1, "messages": 3, "recent": 0,
            "names": [], "findings": [],
        }
    ]  # fmt: skip
    assert cli.chunks(full) == 11
    assert cli.out("gc", full, "--grace", "0") == f"{begin}nothing removed\n"


def test_gc_every_bucket_but_sealed_ones(cli: Cli, full: str) -> None:
    leave(cli, full)
    cli.run("mb", f"{full}-2")
    leave(cli, f"{full}-2")
    cli.run("seal", f"{full}-2", "--yes")
    lines = cli.out("gc", "--grace", "0").splitlines()
    assert f"bucket {full!r}: 3 chunks of 1 upload removed" in lines
    assert not any(f"{full}-2" in line for line in lines)
    assert "is sealed" in cli.error(errors.CONFLICT, "gc", f"{full}-2")


def test_gc_tells_of_metadata_that_it_cannot_read(cli: Cli, full: str) -> None:
    leave(cli, full)
    cli.peek(lambda nc: raw_stream.write_metadata(nc, full, "c", b"no JSON"))
    result = cli.run("gc", full, "--grace", "0", code=errors.DAMAGED)
    assert result.stdout == f"bucket {full!r}: nothing removed\n"
    assert result.stderr.startswith(f"jetstow: metadata of object 'c' in bucket {full!r} ")
    assert "is no time" in cli.error(errors.USAGE, "gc", full, "--grace", "soon")
    cli.run("rb", full, "--yes")
