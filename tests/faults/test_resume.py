"""File transfers that one process begins and another one completes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import BucketSealedError, RevisionMismatchError
from tests.support import object_builder, raw_stream
from tests.support.proxy import Proxy
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(5_000_123)
CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))

CHILD_PROGRAM = """
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

RunAndKill = Callable[[str, Path, int], None]

pytestmark = pytest.mark.not_on_path("plain")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def run_and_kill(server: NatsServer, store: jetstow.ObjectStore) -> RunAndKill:
    """Run a transfer in a process that is killed once so many bytes are transferred."""

    def run(verb: str, path: Path, until: int) -> None:
        program = textwrap.dedent(CHILD_PROGRAM)
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


async def check_object(store: jetstow.ObjectStore, raw: Client) -> None:
    result = await store.get("a")
    assert result.data == DATA
    assert await raw_stream.chunks(raw, store.bucket) == {result.info.nuid: result.info.chunks}


async def test_put_resumes_after_a_kill(
    store: jetstow.ObjectStore, raw: Client, file: Path, run_and_kill: RunAndKill
) -> None:
    run_and_kill("put", file, 1_000_000)
    run_and_kill("put", file, 3_000_000)
    (stored,) = (await raw_stream.chunks(raw, store.bucket)).values()
    progress = Progress()
    await store.put_file(file, "a", CHUNKS, resume=True, progress=progress)
    assert progress.seen[0] == (stored + 1) * 10_000, "stored chunks are kept"
    assert progress.seen[-1] == len(DATA)
    await check_object(store, raw)


async def test_put_resumes_when_only_the_metadata_is_missing(
    store: jetstow.ObjectStore, raw: Client, file: Path, run_and_kill: RunAndKill
) -> None:
    run_and_kill("put", file, len(DATA))
    await store.put_file(file, "a", CHUNKS, resume=True)
    await check_object(store, raw)


async def modified_file(file: Path, _: jetstow.ObjectStore, __: Client) -> None:
    file.write_bytes(bytes(reversed(DATA)))
    file.write_bytes(DATA)  # the same bytes with another modification time


async def other_bytes(_: Path, store: jetstow.ObjectStore, raw: Client) -> None:
    """Replace the chunks by other ones than the checkpoint describes."""
    (nuid,) = await raw_stream.chunks(raw, store.bucket)
    await object_builder.delete_all_chunks(raw, store.bucket, nuid)
    await object_builder.write_chunks(raw, store.bucket, [some_bytes(10_000, 7)] * 20, nuid)


async def extra_chunks(_: Path, store: jetstow.ObjectStore, raw: Client) -> None:
    (nuid,) = await raw_stream.chunks(raw, store.bucket)
    await object_builder.write_chunks(raw, store.bucket, [b"x"] * 800, nuid)


async def no_chunks(_: Path, store: jetstow.ObjectStore, raw: Client) -> None:
    (nuid,) = await raw_stream.chunks(raw, store.bucket)
    await object_builder.delete_all_chunks(raw, store.bucket, nuid)


@pytest.mark.parametrize("change", [modified_file, other_bytes, extra_chunks, no_chunks])
async def test_put_restarts_if_the_checkpoint_does_not_match(
    store: jetstow.ObjectStore,
    raw: Client,
    file: Path,
    run_and_kill: RunAndKill,
    change: Callable[[Path, jetstow.ObjectStore, Client], Awaitable[None]],
) -> None:
    run_and_kill("put", file, 1_000_000)
    await change(file, store, raw)
    progress = Progress()
    await store.put_file(file, "a", CHUNKS, resume=True, progress=progress)
    assert progress.seen[0] == 10_000
    assert (await store.get("a")).data == DATA
    if change is not modified_file:
        await check_object(store, raw)


async def test_put_restarts_with_another_chunk_size(
    store: jetstow.ObjectStore, file: Path, run_and_kill: RunAndKill
) -> None:
    run_and_kill("put", file, 1_000_000)
    info = await store.put_file(file, "a", resume=True)
    assert info.chunks == 39
    assert (await store.get("a")).data == DATA


async def test_rejected_put_leaves_no_checkpoint(
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


async def test_get_resumes_after_a_kill(
    store: jetstow.ObjectStore, tmp_path: Path, run_and_kill: RunAndKill
) -> None:
    await store.put("a", DATA, CHUNKS)
    target = tmp_path / "target"
    target.write_bytes(b"old")
    run_and_kill("get", target, 1_000_000)
    run_and_kill("get", target, 3_000_000)
    assert target.read_bytes() == b"old"
    progress = Progress()
    await store.get_file("a", target, resume=True, progress=progress)
    assert progress.seen[0] > 1_000_000, "the partial file is not read again"
    assert target.read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


async def test_get_restarts_with_a_damaged_partial_file(
    store: jetstow.ObjectStore, tmp_path: Path, run_and_kill: RunAndKill
) -> None:
    await store.put("a", DATA, CHUNKS)
    target = tmp_path / "target"
    run_and_kill("get", target, 3_000_000)
    (part,) = tmp_path.glob(".jetstow-*.part")
    with part.open("r+b") as file:
        file.write(b"damaged")
    await store.get_file("a", target, resume=True)
    assert target.read_bytes() == DATA
    assert not part.exists()


async def test_get_restarts_for_another_revision(
    store: jetstow.ObjectStore, tmp_path: Path, run_and_kill: RunAndKill
) -> None:
    await store.put("a", DATA, CHUNKS)
    target = tmp_path / "target"
    run_and_kill("get", target, 1_000_000)
    await store.put("a", b"new")
    await store.get_file("a", target, resume=True)
    assert target.read_bytes() == b"new"
    assert list(tmp_path.glob(".jetstow-*")) == []


async def test_symlink_as_partial_file_is_not_followed(
    store: jetstow.ObjectStore, tmp_path: Path, run_and_kill: RunAndKill
) -> None:
    await store.put("a", DATA, CHUNKS)
    target, other = tmp_path / "target", tmp_path / "other"
    other.write_bytes(b"mine")
    run_and_kill("get", target, 1_000_000)
    (part,) = tmp_path.glob(".jetstow-*.part")
    part.unlink()
    part.symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        await store.get_file("a", target, resume=True)
    assert other.read_bytes() == b"mine"


async def test_finished_put_is_not_resumed(
    store: jetstow.ObjectStore, raw: Client, file: Path
) -> None:
    """The second put took over the chunks, and then purged them as the replaced ones."""
    for _ in range(2):
        await store.put_file(file, "a", CHUNKS, resume=True)
        await check_object(store, raw)


@asynccontextmanager
async def stalled(
    server: NatsServer,
    bucket: str,
    transfer: Callable[[jetstow.ObjectStore, Callable[..., None]], Awaitable[object]],
) -> AsyncIterator[None]:
    """Stall a transfer after its first chunk; at the end, let it continue and wait for it."""
    async with Proxy(server.port) as proxy, jetstow.connect(proxy.url) as nc:
        other = await nc.jetstream().object_store(bucket)
        begun = asyncio.Event()

        def on_progress(*_: object) -> None:
            if not begun.is_set():
                proxy.stall()
                begun.set()

        transferring = asyncio.ensure_future(transfer(other, on_progress))
        await begun.wait()
        yield
        proxy.resume()
        await transferring


async def test_two_gets_to_one_path(
    server: NatsServer, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    """One ended with `FileNotFoundError` for a hidden file, after it had read everything."""
    await store.put("a", DATA, CHUNKS)
    target = tmp_path / "target"
    await store.put("b", b"another object")

    async def get(other: jetstow.ObjectStore, progress: Callable[..., None]) -> None:
        await other.get_file("a", target, resume=True, progress=progress)

    async with stalled(server, store.bucket, get):
        for name in ("a", "b"):
            expected = f"another get_file .* object '{name}' .*: wait"
            with pytest.raises(BlockingIOError, match=expected):
                await store.get_file(name, target, resume=True)
    assert target.read_bytes() == DATA
    await store.get_file("b", target, resume=True)
    assert target.read_bytes() == b"another object"
    assert list(tmp_path.glob(".jetstow-*")) == []


async def test_two_puts_of_one_file(
    server: NatsServer, store: jetstow.ObjectStore, raw: Client, file: Path, tmp_path: Path
) -> None:
    """The second continued with the chunks of the first, failed as the object existed then, and
    purged them: the stored object was lost.
    """

    async def put(other: jetstow.ObjectStore, progress: Callable[..., None]) -> None:
        await other.put_file(file, "a", CHUNKS, resume=True, progress=progress)

    async with stalled(server, store.bucket, put):
        with pytest.raises(BlockingIOError, match=r"another put_file .* object 'a' .*: wait"):
            await store.put_file(file, "a", CHUNKS, resume=True, expected_revision=0)
        await store.put_file(file, "b", CHUNKS, resume=True)
    await store.delete("b")
    await check_object(store, raw)
    assert list((tmp_path / "home" / "uploads").iterdir()) == []
