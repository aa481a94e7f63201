"""Cancel verbs at random points, and count what is left afterwards.

`run_storm` starts every verb many times, and cancels it after a random number of iterations of the
event loop, some of them twice. `Resources` are the tasks, subscriptions, open requests, bytes in
flight, consumers, file descriptors and nameless chunks that may leak.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.transport.inbox import Inbox
from jetstow.errors import JetstowError
from tests.support import raw_stream
from tests.support.samples import some_bytes

# The objects that the verbs use. Their chunks are small, so that there are many points.
NAMES = ("a", "b", "c")
DATA = some_bytes(40_000)
META = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=2_000))

# The number of iterations of the loop that a verb takes at most, until it is measured.
MAX_STEPS = 400

KEY = bytes(range(32))


@dataclass(frozen=True)
class Resources:
    """What a client and its process hold."""

    tasks: int
    subscriptions: int
    requests: int
    bytes_in_flight: int
    descriptors: int
    consumers: int
    nameless_chunks: int

    @classmethod
    async def count(cls, nc: jetstow.Client, raw: Client, bucket: str) -> Resources:
        inbox = Inbox.for_client(nc)
        info = await raw_stream.request(raw, f"STREAM.INFO.OBJ_{bucket}")
        named = set()
        for name in await raw_stream.names(raw, bucket):
            with suppress(LookupError):  # a rename purges the old name
                named.add((await raw_stream.metadata(raw, bucket, name))["nuid"])
        chunks = await raw_stream.chunks(raw, bucket)
        return cls(
            tasks=len(asyncio.all_tasks()),
            subscriptions=len(nc._subs),
            requests=len(inbox._receivers),
            bytes_in_flight=inbox.inbound.waiting + inbox.outbound.waiting,
            descriptors=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - the number matters
            consumers=int(info["state"]["consumer_count"]),
            nameless_chunks=sum(count for nuid, count in chunks.items() if nuid not in named),
        )

    def leaked_since(self, before: Resources) -> dict[str, int]:
        """Return the kinds of which there are more than before, with the difference."""
        now, then = asdict(self), asdict(before)
        return {kind: now[kind] - then[kind] for kind in now if now[kind] > then[kind]}


class Storm:
    """The verbs of a bucket, with parameters from a seed."""

    def __init__(self, store: jetstow.ObjectStore, folder: Path, seed: int) -> None:
        self._store = store
        self._sealed = store.encrypted(KEY)
        self._folder = folder
        self._random = random.Random(seed)
        self._file = folder / "source"
        self._file.write_bytes(DATA)
        self._steps: dict[str, int] = {}
        self.outcomes: Counter[str] = Counter()

    async def prepare(self) -> None:
        """Store the objects that the verbs read."""
        for name in NAMES:
            await self._store.put(name, DATA, META)
        await self._sealed.put("sealed", DATA, META)

    async def warm_up(self) -> None:
        """Run every verb once: threads, subscriptions and folders exist from then on."""
        await self.prepare()
        for verb in VERBS:
            await getattr(self, verb)(NAMES[0])
            await self.prepare()

    async def run(self, rounds: int, *, concurrent: int = 1) -> None:
        """Cancel every verb `rounds` times, `concurrent` calls at a time."""
        calls = [verb for verb in VERBS for _ in range(rounds)]
        self._random.shuffle(calls)
        for start in range(0, len(calls), concurrent):
            await asyncio.gather(*map(self._cancel, calls[start : start + concurrent]))

    async def _cancel(self, verb: str) -> None:
        call: Callable[[str], Awaitable[Any]] = getattr(self, verb)
        task = asyncio.ensure_future(call(self._random.choice(NAMES)))
        steps = self._steps.get(verb, MAX_STEPS)
        for number in range(1 + (self._random.random() < 0.3)):
            for step in range(self._random.randrange(steps)):
                if task.done():
                    if not number:
                        self._steps[verb] = max(self._steps.get(verb, 0), step + 10)
                    break
                await asyncio.sleep(0)
            task.cancel()
        try:
            await task
            self.outcomes["done"] += 1
        except asyncio.CancelledError:
            self.outcomes["cancelled"] += 1
        except (JetstowError, FileNotFoundError, BlockingIOError):
            self.outcomes["refused"] += 1  # another call uses, removed or changed the name

    # -- the verbs -----------------------------------------------------------------------------

    async def put(self, name: str) -> None:
        await self._store.put(name, DATA, META)

    async def put_file(self, name: str) -> None:
        await self._store.put_file(self._file, name, META)

    async def put_encrypted(self, _: str) -> None:
        await self._sealed.put("sealed", DATA, META)

    async def write(self, name: str) -> None:
        async with self._store.open(name, "wb", META) as file:
            for start in range(0, len(DATA), 10_000):
                await file.write(DATA[start : start + 10_000])

    async def get(self, name: str) -> None:
        await self._store.get(name)

    async def get_encrypted(self, _: str) -> None:
        assert (await self._sealed.get("sealed")).data == DATA

    async def get_file(self, name: str) -> None:
        await self._store.get_file(name, self._folder / "target")

    async def get_file_with_resume(self, name: str) -> None:
        await self._store.get_file(name, self._folder / f"resumed {name}", resume=True)

    async def get_range(self, name: str) -> None:
        await self._store.get_range(name, 2_000, 9_000)

    async def stream(self, name: str) -> None:
        async for _ in self._store.stream(name):
            pass

    async def read(self, name: str) -> None:
        async with self._store.open(name) as file:
            await file.read(5_000)
            await file.seek(30_000)
            await file.read()

    async def get_info(self, name: str) -> None:
        await self._store.get_info(name)

    async def list(self, _: str) -> None:
        await self._store.list()
        async for _info in self._store.list():
            pass

    async def status(self, _: str) -> None:
        await self._store.status()

    async def delete(self, name: str) -> None:
        await self._store.put(name, DATA[:3_000], META)
        await self._store.delete(name)

    async def delete_many(self, name: str) -> None:
        await self._store.delete_many([name, *NAMES])

    async def exists(self, name: str) -> None:
        await self._store.exists(name)

    async def rename(self, name: str) -> None:
        await self._store.put(name, DATA[:3_000], META)
        await self._store.rename(name, f"{name} moved")

    async def copy(self, name: str) -> None:
        await self._store.copy(name, f"{name} copied")

    async def update_meta(self, name: str) -> None:
        await self._store.update_meta(name, ObjectMeta(description="changed"))

    async def add_link(self, name: str) -> None:
        await self._store.add_link(f"{name} linked", name)

    async def verify(self, _: str) -> None:
        await self._store.verify()

    async def collect_garbage(self, _: str) -> None:
        await self._store.collect_garbage(dry_run=True)

    async def watch(self, _: str) -> None:
        async with self._store.watch() as watcher:
            async for change in watcher:
                if change is None:
                    return

    async def stop_watcher(self, _: str) -> None:
        watcher = await self._store.watch(updates_only=True)
        await watcher.stop()

    async def backup(self, _: str) -> None:
        await jetstow.backup(self._store, self._folder / "backup.tar")

    async def upload_folder(self, _: str) -> None:
        source = self._folder / "folder"
        source.mkdir(exist_ok=True)
        (source / "file").write_bytes(DATA)
        await jetstow.upload_folder(source, self._store, prefix="folder/")

    async def download_folder(self, _: str) -> None:
        await jetstow.download_folder(self._store, self._folder / "downloaded")


_HELPERS = {"prepare", "warm_up", "run"}
VERBS = tuple(name for name in vars(Storm) if not name.startswith("_") and name not in _HELPERS)


async def wait_until_released(
    before: Resources, nc: jetstow.Client, raw: Client, bucket: str, attempts: int = 100
) -> None:
    """Wait until no more is in use than before: a cancelled call may end in the background.

    Raises: `AssertionError` (something leaked).
    """
    for _ in range(attempts):
        leaked = (await Resources.count(nc, raw, bucket)).leaked_since(before)
        if not leaked:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"leaked: {leaked}")


async def run_storm(url: str, seed: int, rounds: int, concurrent: int) -> Counter[str]:
    """Cancel every verb `rounds` times in a bucket of its own. Return the calls by their outcome.

    Raises: `AssertionError` (something leaked, or an object is not whole).
    """
    bucket = f"storm-{seed}-{concurrent}"
    raw = await nats.connect(url)
    try:
        async with jetstow.connect(url) as nc:
            store = await nc.jetstream().create_object_store(bucket)
            with tempfile.TemporaryDirectory() as folder:
                storm = Storm(store, Path(folder), seed)
                await storm.warm_up()
                before = await Resources.count(nc, raw, bucket)
                await storm.run(rounds, concurrent=concurrent)
                await storm.prepare()
                await wait_until_released(before, nc, raw, bucket)
            findings = (await store.verify()).findings
            assert not findings, f"not whole: {findings}"
            await nc.jetstream().delete_object_store(bucket)
    finally:
        await raw.close()
    return storm.outcomes
