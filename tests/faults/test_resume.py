"""Transfers of files that one process begins, and another one ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import BucketSealedError, RevisionMismatchError
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(5_000_123)
CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))

KILLED_AT = """
    import asyncio, os, signal, sys
    from pathlib import Path
    import jetstow
    from jetstow import ObjectMeta, ObjectMetaOptions

    url, bucket, verb, path, until = sys.argv[1:]

    def die(done, of):
        if done >= int(until):
            os.kill(os.getpid(), signal.SIGKILL)

    async def main():
        async with await jetstow.connect(url) as nc:
            store = await nc.jetstream().object_store(bucket)
            if verb == "put":
                meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))
                await store.put_file(path, "a", meta, resume=True, progress=die)
            else:
                await store.get_file("a", path, resume=True, progress=die)

    asyncio.run(main())
"""

Killed = Callable[[str, Path, int], None]

pytestmark = pytest.mark.not_on("plain")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def killed(server: NatsServer, store: jetstow.ObjectStore) -> Killed:
    """A process that begins a transfer, and is killed once so many bytes of it are done."""

    def run(verb: str, path: Path, until: int) -> None:
        program = textwrap.dedent(KILLED_AT)
        done = subprocess.run(
            [sys.executable, "-c", program, server.url, store.bucket, verb, path, str(until)],
            timeout=30,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL

    return run


class Progress:
    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, done: int, of: int | None) -> None:
        assert of == len(DATA)
        self.seen.append(done)


async def is_whole(store: jetstow.ObjectStore, raw: Client) -> None:
    result = await store.get("a")
    assert result.data == DATA
    assert await raw_stream.chunks(raw, store.bucket) == {result.info.nuid: result.info.chunks}


async def test_a_put_goes_on_where_a_killed_process_was(
    store: jetstow.ObjectStore, raw: Client, file: Path, killed: Killed
) -> None:
    killed("put", file, 1_000_000)
    killed("put", file, 3_000_000)
    (stored,) = (await raw_stream.chunks(raw, store.bucket)).values()
    progress = Progress()
    await store.put_file(file, "a", CHUNKS, resume=True, progress=progress)
    assert progress.seen[0] == (stored + 1) * 10_000, "all that was stored is there still"
    assert progress.seen[-1] == len(DATA)
    await is_whole(store, raw)


async def test_nothing_but_the_name_was_missing(
    store: jetstow.ObjectStore, raw: Client, file: Path, killed: Killed
) -> None:
    killed("put", file, len(DATA))
    await store.put_file(file, "a", CHUNKS, resume=True)
    await is_whole(store, raw)


async def changed(file: Path, _: jetstow.ObjectStore, __: Client) -> None:
    file.write_bytes(bytes(reversed(DATA)))
    file.write_bytes(DATA)  # the same bytes, at another time: nobody can know


async def other_bytes(_: Path, store: jetstow.ObjectStore, raw: Client) -> None:
    """Chunks that are not the file's, whatever the note says."""
    (nuid,) = await raw_stream.chunks(raw, store.bucket)
    await object_builder.lose_all_chunks(raw, store.bucket, nuid)
    await object_builder.write_chunks(raw, store.bucket, [some_bytes(10_000, 7)] * 20, nuid)


async def too_many(_: Path, store: jetstow.ObjectStore, raw: Client) -> None:
    (nuid,) = await raw_stream.chunks(raw, store.bucket)
    await object_builder.write_chunks(raw, store.bucket, [b"x"] * 800, nuid)


async def none_left(_: Path, store: jetstow.ObjectStore, raw: Client) -> None:
    (nuid,) = await raw_stream.chunks(raw, store.bucket)
    await object_builder.lose_all_chunks(raw, store.bucket, nuid)


@pytest.mark.parametrize("change", [changed, other_bytes, too_many, none_left])
async def test_what_does_not_fit_is_not_gone_on_with(
    store: jetstow.ObjectStore,
    raw: Client,
    file: Path,
    killed: Killed,
    change: Callable[..., AsyncIterator[None]],
) -> None:
    killed("put", file, 1_000_000)
    await change(file, store, raw)
    progress = Progress()
    await store.put_file(file, "a", CHUNKS, resume=True, progress=progress)
    assert progress.seen[0] == 10_000
    assert (await store.get("a")).data == DATA
    if change is not changed:
        await is_whole(store, raw)


async def test_another_chunk_size_begins_anew(
    store: jetstow.ObjectStore, file: Path, killed: Killed
) -> None:
    killed("put", file, 1_000_000)
    info = await store.put_file(file, "a", resume=True)
    assert info.chunks == 39
    assert (await store.get("a")).data == DATA


async def test_a_refusal_leaves_nothing_to_go_on_with(
    store: jetstow.ObjectStore, raw: Client, file: Path, tmp_path: Path
) -> None:
    await store.put("a", b"old")
    with pytest.raises(RevisionMismatchError):
        await store.put_file(file, "a", resume=True, expected_revision=77)
    await store.seal()
    with pytest.raises(BucketSealedError):
        await store.put_file(file, "a", resume=True)
    assert list((tmp_path / "home" / "uploads").iterdir()) == []
    assert sum((await raw_stream.chunks(raw, store.bucket)).values()) == 1


async def test_a_get_goes_on_where_a_killed_process_was(
    store: jetstow.ObjectStore, tmp_path: Path, killed: Killed
) -> None:
    await store.put("a", DATA, CHUNKS)
    target = tmp_path / "target"
    target.write_bytes(b"old")
    killed("get", target, 1_000_000)
    killed("get", target, 3_000_000)
    assert target.read_bytes() == b"old"
    progress = Progress()
    await store.get_file("a", target, resume=True, progress=progress)
    assert progress.seen[0] > 1_000_000, "what was there was not read again"
    assert target.read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


async def test_a_part_that_is_wrong_is_read_again(
    store: jetstow.ObjectStore, tmp_path: Path, killed: Killed
) -> None:
    await store.put("a", DATA, CHUNKS)
    target = tmp_path / "target"
    killed("get", target, 3_000_000)
    (part,) = tmp_path.glob(".jetstow-*.part")
    with part.open("r+b") as file:
        file.write(b"damaged")
    await store.get_file("a", target, resume=True)
    assert target.read_bytes() == DATA
    assert not part.exists()


async def test_a_part_of_another_revision_is_dropped(
    store: jetstow.ObjectStore, tmp_path: Path, killed: Killed
) -> None:
    await store.put("a", DATA, CHUNKS)
    target = tmp_path / "target"
    killed("get", target, 1_000_000)
    await store.put("a", b"new")
    await store.get_file("a", target, resume=True)
    assert target.read_bytes() == b"new"
    assert list(tmp_path.glob(".jetstow-*")) == []


async def test_a_link_in_the_place_of_a_part_is_not_followed(
    store: jetstow.ObjectStore, tmp_path: Path, killed: Killed
) -> None:
    await store.put("a", DATA, CHUNKS)
    target, other = tmp_path / "target", tmp_path / "other"
    other.write_bytes(b"mine")
    killed("get", target, 1_000_000)
    (part,) = tmp_path.glob(".jetstow-*.part")
    part.unlink()
    part.symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        await store.get_file("a", target, resume=True)
    assert other.read_bytes() == b"mine"


async def test_a_finished_put_is_not_gone_on_with(
    store: jetstow.ObjectStore, raw: Client, file: Path
) -> None:
    """The second one took the chunks over, and then dropped them as those that it replaced."""
    for _ in range(2):
        await store.put_file(file, "a", CHUNKS, resume=True)
        await is_whole(store, raw)
