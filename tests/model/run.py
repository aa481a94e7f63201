"""A run of the model: a server, three clients behind proxies, and one bucket they share."""

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
from jetstow._core.bucket.admin import enable_message_ttl
from jetstow.errors import JetstowError
from tests.model.contention import UNKNOWN_OUTCOME_ERRORS, Call
from tests.model.operations import Operations, Variant
from tests.model.reference import (
    Object,
    ReferenceModel,
    State,
    ViolationError,
    bucket_link,
)
from tests.support import raw_stream
from tests.support.proxy import Proxy
from tests.support.servers import NatsServer

CLIENTS = 3

# A server ends with the thread that started it. This thread lives until the process ends.
_EXECUTOR = ThreadPoolExecutor(1)

KEY = bytes(range(32))

# The timeout of the clients, in seconds. Stalls and pauses last longer.
TIMEOUT = 1.0


@dataclass(frozen=True)
class Fault:
    """A fault that occurs `after` so many event loop iterations, or bytes."""

    kind: str
    client: int
    after: int


@dataclass
class Tally:
    """The numbers of operations by outcome, and of faults by kind."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def operations(self) -> int:
        return sum(self.outcomes.values())

    def summary(self) -> str:
        outcomes = Counter[str]()
        for (_, outcome), count in self.outcomes.items():
            outcomes[outcome] += count
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        faults = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        return f"{self.operations} operations ({counts}); faults: {faults or 'none'}"


class BucketRun:
    """Operations on one bucket: `begin`, any number of `step`, and `end`, which checks it."""

    def __init__(
        self, server: NatsServer, bucket: str, folder: Path, tally: Tally, *, encrypted: bool
    ) -> None:
        self.reference = ReferenceModel()
        self._logger = logging.getLogger("jetstow")
        self._log_level = self._logger.level
        self._server = server
        self._bucket = bucket
        self._tally = tally
        self._kind = Variant(encrypted, server.at_least("2.11"))
        self._stores: list[jetstow.ObjectStore] = []
        self._operations = Operations(self.reference, self._stores, folder, self._kind)
        self._proxies: list[Proxy] = []
        self._watched: list[jetstow.ObjectInfo] = []
        self._events: list[str] = []
        self._listening: asyncio.Task[None] | None = None
        self._watcher: jetstow.ObjectWatcher | None = None

    async def begin(self) -> None:
        self._logger.setLevel(logging.CRITICAL)
        for _ in range(CLIENTS):
            proxy = await Proxy(self._server.port).__aenter__()
            self._proxies.append(proxy)
            nc = await jetstow.connect(
                proxy.url,
                reconnect_time_wait=0.05,
                max_reconnect_attempts=400,
                error_cb=_ignore_error,
            )
            js = nc.jetstream(timeout=TIMEOUT)
            store = await js.create_object_store(self._bucket)
            self._stores.append(store.encrypted(KEY) if self._kind.encrypted else store)
        if self._kind.has_ttl:
            # Not by the first put: nats-server 2.15.1 cannot recover a stream if it is killed while
            # it writes the configuration ("checksums do not match" for meta.inf).
            stream = self._stores[0]._bucket
            await enable_message_ttl(stream, stream.error_context())
        self._watcher = await self._stores[0].watch()
        self._listening = asyncio.create_task(self._listen(self._watcher))

    async def _listen(self, watcher: jetstow.ObjectWatcher) -> None:
        async for change in watcher:
            if change is not None:
                self._watched.append(change)

    # -- steps ---------------------------------------------------------------------------

    async def step(self, calls: Sequence[Call], fault: Fault | None) -> None:
        """Run the calls that share no names concurrently, and inject the fault."""
        independent: list[Call] = []
        used: set[str] = set()
        for call in calls:
            if not used & call.names:
                independent.append(call)
                used |= call.names
        running = [asyncio.create_task(self._call(call)) for call in independent]
        if fault is not None:
            await self._inject(fault, running)
        for result in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    def recent_events(self) -> str:
        """Return the last events, for the report of a failure."""
        return "\n".join(self._events[-80:])

    def _record(self, event: object) -> None:
        self._events.append(f"{asyncio.get_running_loop().time():.3f} {event}")

    async def _call(self, call: Call) -> None:
        self._record(call)
        outcome = "violation"
        try:
            outcome = await self._operations.run(self._stores[call.client], call)
        except JetstowError as error:
            raise ViolationError(f"{call} raised {error!r}") from error
        finally:
            possible = ", ".join(
                f"{name}: {set(self.reference.possible(name))}" for name in call.names
            )
            self._record(f"    {call.verb} by {call.client} {outcome}: {possible}")
        self._tally.outcomes[call.verb, outcome] += 1

    async def _inject(self, fault: Fault, running: Sequence[asyncio.Task[None]]) -> None:
        proxy = self._proxies[fault.client]
        self._record(fault)
        if not fault.kind.startswith("cut to"):
            self._tally.faults[fault.kind] += 1
        for _ in range(fault.after % 40):
            await asyncio.sleep(0)
        match fault.kind:
            case "cut":
                proxy.cut()
            case "cut to server":
                self._count(proxy.cut_after(fault.after, "to_server"), fault)
            case "cut to client":
                self._count(proxy.cut_after(fault.after, "to_client"), fault)
            case "stall":
                proxy.stall()
                await asyncio.wait(running, timeout=1.2 * TIMEOUT)
                proxy.resume()
            case "kill":
                restart = partial(self._server.restart, kill=True)
                await asyncio.get_running_loop().run_in_executor(_EXECUTOR, restart)
            case "pause":
                self._server.pause()
                await asyncio.wait(running, timeout=1.2 * TIMEOUT)
                self._server.resume()

    def _count(self, cut: asyncio.Future[None], fault: Fault) -> None:
        """Count a cut when it happens: the bytes that it waits for may never be sent."""

        def count(future: asyncio.Future[None]) -> None:
            if not future.cancelled():
                self._tally.faults[fault.kind] += 1

        cut.add_done_callback(count)

    # -- final checks --------------------------------------------------------------------

    async def end(self) -> None:
        """Check the bucket: read it by jetstow and nats-py, and look for unnamed chunks."""
        await self._flush_all()
        for name in self.reference.names:
            read = self._read_link if name.startswith("link-") else self._read
            self.reference.observed(name, await read(name))
        self.reference.check_renames()
        await self._check_by_another_client()
        await self._check_watcher()
        await self._check_leftovers()

    async def close(self) -> None:
        self._logger.setLevel(self._log_level)
        for proxy in self._proxies:
            proxy.resume()
        self._server.resume()
        if self._watcher is not None:
            await self._watcher.stop()
        if self._listening is not None:
            self._listening.cancel()
        for store in self._stores:
            await store._js._nc.close()
        for proxy in self._proxies:
            await proxy.__aexit__(None, None, None)

    async def _flush_all(self) -> None:
        """Wait until the server has executed all requests: it replies in order."""
        for proxy in self._proxies:
            proxy.cancel_cut()
        for store in self._stores:
            async with asyncio.timeout(30):
                while True:
                    try:
                        # Chunks and metadata share a queue, and this put is behind them.
                        await store.put(f"settled-{self._stores.index(store)}", b"")
                        break
                    except UNKNOWN_OUTCOME_ERRORS:
                        continue
        self.reference.clear_pending()

    async def _read(self, name: str) -> State:
        try:
            result = await self._stores[1].get(name)
        except FileNotFoundError:
            return None
        return Object(result.data or b"", result.info.description or "")

    async def _read_link(self, name: str) -> State:
        try:
            link = (await self._stores[1].get_info(name)).link
        except FileNotFoundError:
            return None
        if link is None:
            return Object(b"")
        return bucket_link(link.bucket) if link.name is None else Object(b"", "", link.name)

    async def _check_by_another_client(self) -> None:
        nc = await nats.connect(self._server.url)
        try:
            store = await nc.jetstream().object_store(self._bucket)
            for name in self.reference.names:
                (state,) = (
                    self.reference.possible(name) if not name.startswith("link-") else (None,)
                )
                if state is not None:
                    into = io.BytesIO()
                    await store.get(name, writeinto=into)
                    if self._kind.encrypted == (into.getvalue() == state.data):
                        raise ViolationError(f"nats-py reads other bytes of {name!r}")
        finally:
            await nc.close()

    async def _check_watcher(self) -> None:
        """Check that the watcher reported the last state of each name, in order and once."""
        infos = {info.name: info for info in await self._stores[2].list(ignore_deletes=False)}
        last = max((info.revision or 0 for info in infos.values()), default=0)
        async with asyncio.timeout(30):
            while not self._watched or (self._watched[-1].revision or 0) < last:
                await asyncio.sleep(0.02)
        revisions = [info.revision or 0 for info in self._watched]
        if revisions != sorted(set(revisions)):
            raise ViolationError(f"the watcher reported revisions in the order {revisions}")
        reported = {info.name: info for info in self._watched}
        for name, info in infos.items():
            if reported[name].revision != info.revision:
                raise ViolationError(f"the watcher's last report of {name!r} is {reported[name]!r}")

    async def _check_leftovers(self) -> None:
        store = self._stores[0]
        await store.collect_garbage(grace=0)
        nc = store._js._nc
        stored = await raw_stream.chunks(nc, self._bucket)
        named = {info.nuid: info.chunks for info in await store.list() if info.chunks}
        if stored != named:
            raise ViolationError(f"the stream has the chunks {stored}, the names have {named}")


async def _ignore_error(_: Exception) -> None:
    """The faults are intended."""
