"""A server, three clients each with a bad way to it, and one bucket that they share."""

from __future__ import annotations

import asyncio
import io
import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import nats

import jetstow
from jetstow.errors import JetstowError
from tests.model.operations import UNKNOWN, Call, Kind, Operations
from tests.model.truth import Object, State, Truth, ViolationError
from tests.support import raw_stream
from tests.support.proxy import Proxy
from tests.support.servers import NatsServer

CLIENTS = 3

# A server dies with the thread that has started it; this one lives as long as the program.
_HANDS = ThreadPoolExecutor(1)

KEY = bytes(range(32))

# The longest silence that the clients bear, in seconds; stalls and pauses last longer.
TIMEOUT = 1.0


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, `after` so many turns of the loop or bytes."""

    kind: str
    client: int
    after: int


@dataclass
class Tally:
    """What was done, how it ended, what went wrong."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def operations(self) -> int:
        return sum(self.ended.values())

    def line(self) -> str:
        ends = Counter[str]()
        for (_, end), count in self.ended.items():
            ends[end] += count
        told = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        faults = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        return f"{self.operations} operations ({told}); faults: {faults or 'none'}"


class Life:
    """One bucket's life, from `begin` to `end`, which looks at all that is left."""

    def __init__(
        self, server: NatsServer, bucket: str, folder: Path, tally: Tally, *, encrypted: bool
    ) -> None:
        self.truth = Truth()
        self._server = server
        self._bucket = bucket
        self._tally = tally
        self._kind = Kind(encrypted, server.at_least("2.11"))
        self._operations = Operations(self.truth, folder, self._kind)
        self._ways: list[Proxy] = []
        self._stores: list[jetstow.ObjectStore] = []
        self._told: list[jetstow.ObjectInfo] = []
        self._events: list[str] = []
        self._listening: asyncio.Task[None] | None = None
        self._watcher: jetstow.ObjectWatcher | None = None

    async def begin(self) -> None:
        logging.getLogger("jetstow").setLevel(logging.CRITICAL)
        for _ in range(CLIENTS):
            way = await Proxy(self._server.port).__aenter__()
            self._ways.append(way)
            nc = await jetstow.connect(
                way.url, reconnect_time_wait=0.05, max_reconnect_attempts=400, error_cb=_quiet
            )
            js = nc.jetstream(timeout=TIMEOUT)
            store = await js.create_object_store(self._bucket)
            self._stores.append(store.encrypted(KEY) if self._kind.encrypted else store)
        self._watcher = await self._stores[0].watch()
        self._listening = asyncio.create_task(self._listen(self._watcher))

    async def _listen(self, watcher: jetstow.ObjectWatcher) -> None:
        async for change in watcher:
            if change is not None:
                self._told.append(change)

    # -- a moment of it ------------------------------------------------------------------

    async def go_through(self, calls: Sequence[Call], fault: Fault | None) -> None:
        """Calls that have nothing to do with one another, all at once, and what happens to them."""
        alone: list[Call] = []
        taken: set[str] = set()
        for call in calls:
            if not taken & call.names:
                alone.append(call)
                taken |= call.names
        running = [asyncio.create_task(self._call(call)) for call in alone]
        if fault is not None:
            await self._happen(fault, running)
        for ended in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    def story(self) -> str:
        """What has happened last."""
        return "\n".join(self._events[-80:])

    def _note(self, what: object) -> None:
        self._events.append(f"{asyncio.get_running_loop().time():.3f} {what}")

    async def _call(self, call: Call) -> None:
        self._note(call)
        ended = "violation"
        try:
            ended = await self._operations.run(self._stores[call.client], call)
        except JetstowError as error:
            raise ViolationError(f"{call} ended with {error!r}") from error
        finally:
            possible = ", ".join(f"{name}: {set(self.truth.of(name))}" for name in call.names)
            self._note(f"    {call.verb} by {call.client} {ended}: {possible}")
        self._tally.ended[call.verb, ended] += 1

    async def _happen(self, fault: Fault, running: Sequence[asyncio.Task[None]]) -> None:
        way = self._ways[fault.client]
        self._note(fault)
        if not fault.kind.startswith("cut to"):
            self._tally.faults[fault.kind] += 1
        for _ in range(fault.after % 40):
            await asyncio.sleep(0)
        match fault.kind:
            case "cut":
                way.cut()
            case "cut to server":
                self._count(way.cut_after(fault.after, "to_server"), fault)
            case "cut to client":
                self._count(way.cut_after(fault.after, "to_client"), fault)
            case "stall":
                way.stall()
                await asyncio.wait(running, timeout=1.2 * TIMEOUT)
                way.go_on()
            case "kill":
                restart = partial(self._server.restart, kill=True)
                await asyncio.get_running_loop().run_in_executor(_HANDS, restart)
            case "pause":
                self._server.pause()
                await asyncio.wait(running, timeout=1.2 * TIMEOUT)
                self._server.resume()

    def _count(self, happened: asyncio.Future[None], fault: Fault) -> None:
        """Where so many bytes never come, nothing happens."""

        def count(future: asyncio.Future[None]) -> None:
            if not future.cancelled():
                self._tally.faults[fault.kind] += 1

        happened.add_done_callback(count)

    # -- its end -------------------------------------------------------------------------

    async def end(self) -> None:
        """All is read by jetstow and by another client, and nothing else is in the bucket."""
        await self._settle()
        for name in self.truth.names:
            look = self._look_at_link if name.startswith("link-") else self._look
            self.truth.seen(name, await look(name))
        self.truth.check_moves()
        await self._check_by_another_client()
        await self._check_watcher()
        await self._check_leftovers()

    async def close(self) -> None:
        for way in self._ways:
            way.go_on()
        self._server.resume()
        if self._watcher is not None:
            await self._watcher.stop()
        if self._listening is not None:
            self._listening.cancel()
        for store in self._stores:
            await store._js._nc.close()
        for way in self._ways:
            await way.__aexit__(None, None, None)

    async def _settle(self) -> None:
        """Wait until what was on its way is there: the server answers in order."""
        for way in self._ways:
            way.spare()
        for store in self._stores:
            async with asyncio.timeout(30):
                while True:
                    try:
                        # Chunks and names wait in one queue, and this comes after them.
                        await store.put(f"settled-{self._stores.index(store)}", b"")
                        break
                    except UNKNOWN:
                        continue
        self.truth.settle()

    async def _look(self, name: str) -> State:
        try:
            result = await self._stores[1].get(name)
        except FileNotFoundError:
            return None
        return Object(result.data or b"", result.info.description or "")

    async def _look_at_link(self, name: str) -> State:
        try:
            link = (await self._stores[1].get_info(name)).link
        except FileNotFoundError:
            return None
        return Object(b"", "", None if link is None else link.name)

    async def _check_by_another_client(self) -> None:
        nc = await nats.connect(self._server.url)
        try:
            store = await nc.jetstream().object_store(self._bucket)
            for name in self.truth.names:
                (state,) = self.truth.of(name) if not name.startswith("link-") else (None,)
                if state is not None:
                    into = io.BytesIO()
                    await store.get(name, writeinto=into)
                    if self._kind.encrypted == (into.getvalue() == state.data):
                        raise ViolationError(f"another client reads other bytes of {name!r}")
        finally:
            await nc.close()

    async def _check_watcher(self) -> None:
        """It has told the last state of each name, in the order of revisions, and nothing twice."""
        infos = {info.name: info for info in await self._stores[2].list(ignore_deletes=False)}
        last = max((info.revision or 0 for info in infos.values()), default=0)
        async with asyncio.timeout(30):
            while not self._told or (self._told[-1].revision or 0) < last:
                await asyncio.sleep(0.02)
        revisions = [info.revision or 0 for info in self._told]
        if revisions != sorted(set(revisions)):
            raise ViolationError(f"the watcher told of revisions in the order {revisions}")
        told = {info.name: info for info in self._told}
        for name, info in infos.items():
            if told[name].revision != info.revision:
                raise ViolationError(f"the watcher's last word of {name!r} is {told[name]!r}")

    async def _check_leftovers(self) -> None:
        store = self._stores[0]
        await store.collect_garbage(grace=0)
        nc = store._js._nc
        stored = await raw_stream.chunks(nc, self._bucket)
        named = {info.nuid: info.chunks for info in await store.list() if info.chunks}
        if stored != named:
            raise ViolationError(f"the stream has the chunks {stored}, the names have {named}")


async def _quiet(_: Exception) -> None:
    """What goes wrong here is meant to."""
