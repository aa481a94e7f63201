"""Random changes of a versioned bucket, with cut connections, against a list of versions.

A change whose outcome is unknown has happened or not: the next read decides. Ids are stable, and a
version has the bytes that were stored under its id.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Coroutine
from typing import Any, ClassVar

import nats
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import (
    ConnectionLostError,
    JetStreamUnavailableError,
    ObjectNotFoundError,
    TimeoutError,
)
from tests.support import raw_stream
from tests.support.proxy import Proxy
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.one_path]

RUNS, STEPS = 4, 40
UNKNOWN_OUTCOME = (ConnectionLostError, TimeoutError, JetStreamUnavailableError)
NAMES = ("a", "a/b")

# The bytes of the versions of a name, the newest first; None is a delete marker.
Versions = tuple[bytes | None, ...]

CHANGES = st.sampled_from(
    ["put"] * 4 + ["delete"] * 2 + ["remove"] * 4 + ["marker", "restore", "restore", "describe"]
    + ["race", "other put", "other delete", "collect"]
)  # fmt: skip
CUTS = st.none() | st.tuples(st.sampled_from(["to_server", "to_client"]), st.integers(0, 3_000))

_numbers = itertools.count(1)


class VersionsMachine(RuleBasedStateMachine):
    """Two names of one bucket: what is in it, and what it may have."""

    server: ClassVar[NatsServer]

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._bytes = map(b"%d".__mod__, itertools.count(1))
        self._possible: dict[str, set[Versions]] = {name: {()} for name in NAMES}
        # The bytes of each id that was read.
        self._data: dict[tuple[str, str], bytes | None] = {}
        self._passed = True
        self._run(self._begin())

    def _run(self, step: Coroutine[Any, Any, None]) -> None:
        self._loop.run_until_complete(asyncio.wait_for(step, 60))

    async def _begin(self) -> None:
        self._proxy = await Proxy(self.server.port).__aenter__()
        self._cut = await jetstow.connect(
            self._proxy.url, reconnect_time_wait=0.01, max_reconnect_attempts=-1, error_cb=_ignore
        )
        self._direct = await jetstow.connect(self.server.url)
        self._raw = await nats.connect(self.server.url)
        bucket = f"versions-{next(_numbers)}"
        js = self._direct.jetstream()
        self._store = await js.create_object_store(bucket, storage="memory", versioned=True)
        self._cut_store = await self._cut.jetstream(timeout=1).object_store(bucket)
        self._theirs = await self._raw.jetstream().object_store(bucket)

    def teardown(self) -> None:
        async def end() -> None:
            if self._passed:
                await self._check_leftovers()
            for nc in (self._cut, self._direct, self._raw):
                await nc.close()
            await self._proxy.__aexit__(None, None, None)

        self._run(end())
        self._loop.close()

    # -- changes ---------------------------------------------------------------------------

    @rule(change=CHANGES, name=st.sampled_from(NAMES), number=st.integers(0, 5), cut=CUTS)
    def change(self, change: str, name: str, number: int, cut: Any) -> None:
        self._passed = False
        self._run(self._change(change, name, number, cut))
        self._passed = True

    async def _change(self, change: str, name: str, number: int, cut: Any) -> None:
        ids = await self._read(name)
        (before,) = self._possible[name]
        store = self._store
        if cut is not None and not change.startswith("other"):
            store = self._cut_store
            self._proxy.cut_after(cut[1], cut[0])
        step, *after = self._plan(store, change, name, number % max(1, len(ids)), ids, before)
        try:
            await step
        except ObjectNotFoundError:
            assert change == "delete"
            assert before[:1] in ((), (None,))
        except UNKNOWN_OUTCOME:
            self._possible[name] |= set(after)
        else:
            self._possible[name] = set(after) or {before}
        self._proxy.cancel_cut()
        if cut is not None:
            await self._cut.flush()  # what was sent is executed before the next change
        await self._read(name)

    def _plan(
        self,
        store: jetstow.ObjectStore,
        change: str,
        name: str,
        number: int,
        ids: list[str],
        before: Versions,
    ) -> tuple[Any, ...]:
        """Return a change, and the versions that it may leave."""
        new = next(self._bytes)
        match change:
            case "put":
                return store.put(name, new), (new, *before)
            case "delete" if before[:1] in ((), (None,)):
                return (store.delete(name),)
            case "delete":
                return store.delete(name), (None, *before)
            case "marker":
                return store.add_delete_marker(name), (None, *before)
            case "remove" if ids:
                left = before[:number] + before[number + 1 :]
                return store.delete(name, version=ids[number]), left
            case "restore" if ids and before[number] is not None:
                others = before[:number] + before[number + 1 :]
                return store.restore_version(name, ids[number]), (before[number], *others)
            case "describe" if ids and before[number] is not None:
                meta = ObjectMeta(description=str(number))
                return store.update_meta(name, meta, version=ids[number]), before
            case "race":
                other = next(self._bytes)
                both = _both(store.put(name, new), self._store.put(name, other))
                # Without a reply, one of the two may be missing.
                return both, (new, other, *before), (other, new, *before), (other, *before)
            case "other put":  # it has no history
                return self._theirs.put(name, new), (new, *before[1:])
            case "other delete" if before and before[0] is not None:
                return self._theirs.delete(name), (None, *before[1:])
        return store.collect_garbage(grace=0), before

    # -- checks ----------------------------------------------------------------------------

    async def _read(self, name: str) -> list[str]:
        """Compare the versions with what is possible. Return the ids."""
        infos = await self._store.versions(name)
        ids = [info.version or "" for info in infos]
        found: list[bytes | None] = []
        for info in infos:
            assert info.version is not None
            data = None
            if not info.deleted:
                data = (await self._store.get(name, version=info.version)).data
            assert self._data.setdefault((name, info.version), data) == data or data is None
            found.append(data)
        assert tuple(found) in self._possible[name], (name, found, self._possible[name])
        self._possible[name] = {tuple(found)}
        listed = {info.name: info.nuid for info in await self._store.list()}
        expected = [info.nuid for info in infos[:1] if not info.deleted]
        assert [nuid for each, nuid in listed.items() if each == name] == expected
        assert await self._store.exists(name) == bool(expected)
        return ids

    async def _check_leftovers(self) -> None:
        await self._store.collect_garbage(grace=0)
        for name in NAMES:
            await self._read(name)
        stored = await raw_stream.chunks(self._raw, self._store.bucket)
        versions = [info for info in await self._store.versions() if info.chunks]
        assert stored == {info.nuid: info.chunks for info in versions}
        async with self._store.index() as index:
            page = await index.versions()
        listed = [(entry.name, entry.version) for entry in page.entries]
        assert listed == [(info.name, info.version) for info in await self._store.versions()]


async def _both(*steps: Coroutine[Any, Any, object]) -> None:
    results = await asyncio.gather(*steps, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _ignore(_: Exception) -> None:
    """The cuts are intended."""


@pytest.mark.timeout(120)
def test_versions_against_a_list(server: NatsServer) -> None:
    # Each run tries another seed. `JETSTOW_TEST_SEED` repeats the seed of a failure.
    number = int(os.environ.get("JETSTOW_TEST_SEED", os.getpid()))
    machine = type("Numbered", (VersionsMachine,), {"server": server})
    try:
        run_state_machine_as_test(
            seed(number)(machine),
            settings=settings(
                max_examples=RUNS,
                stateful_step_count=STEPS,
                phases=[Phase.generate],
                deadline=None,
                database=None,
                print_blob=False,
                suppress_health_check=list(HealthCheck),
            ),
            _min_steps=STEPS,
        )
    except BaseException as error:
        error.add_note(f"repeat with JETSTOW_TEST_SEED={number}")
        raise
