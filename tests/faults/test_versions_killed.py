"""A process that is killed while it changes a versioned bucket loses no version.

As in `test_killed_at_every_instant.py`: afterwards the versions are those before the change or
those after it, and `collect_garbage` leaves as few messages as after an uninterrupted change.
"""

from __future__ import annotations

import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import nats
import pytest

import jetstow
from tests.faults.test_killed_at_every_instant import (
    CUT,
    NEW,
    OLD,
    SMALL,
    forker,
    message_count,
    run_child,
    wait_for_child,
)
from tests.support.servers import NatsServer

__all__ = ["forker"]  # a fixture

# The bytes of the versions, the newest first; None is a delete marker.
Versions = list[bytes | None]

pytestmark = pytest.mark.one_path


@dataclass(frozen=True)
class Change:
    """A change of the object "a": puts (None: a delete) before it, and the versions after it."""

    verb: str
    before: Versions
    after: Versions
    data: bytes = NEW
    is_suspended: bool = False
    # What is written before versioning is enabled.
    unversioned: bytes | None = None


CHANGES: Final = {
    "a replaced object": Change("put", [OLD], [NEW, OLD]),
    "a replaced delete marker": Change("put", [None, OLD], [SMALL, None, OLD], data=SMALL),
    "a deleted object": Change("delete", [OLD], [None, OLD]),
    "an object replaced by a null version": Change(
        "put", [OLD, NEW], [SMALL, OLD], data=SMALL, is_suspended=True, unversioned=NEW
    ),
    "an object deleted while suspended": Change(
        "delete", [SMALL, OLD], [None, SMALL], is_suspended=True, unversioned=OLD
    ),
    "a removed current version": Change("remove the current version", [SMALL, OLD], [OLD]),
    "a removed only version": Change("remove the current version", [OLD], []),
    "a removed old version": Change("remove an old version", [SMALL, OLD], [SMALL]),
    "a restored version": Change("restore", [None, SMALL, OLD], [OLD, None, SMALL]),
}  # fmt: skip


async def begin(js: jetstow.JetStreamContext, name: str, change: Change) -> jetstow.ObjectStore:
    is_old = change.unversioned is not None
    store = await js.create_object_store(name, storage="memory", versioned=not is_old)
    steps: list[Callable[[], Awaitable[object]]] = []
    for data in reversed(change.before):
        if data is None:
            steps.append(lambda: store.delete("a"))
        else:
            steps.append(lambda data=data: store.put("a", data, CUT))  # type: ignore[misc]
    for step in steps:
        await step()
        if is_old:
            store, is_old = await js.update_object_store(name, versioned=True), False
    if change.is_suspended:
        store = await js.update_object_store(name, versioned=False)
    return store


async def read_versions(store: jetstow.ObjectStore) -> Versions:
    """Return the versions; the names have to show the first one as the object."""
    infos = await store.versions()
    found: Versions = [
        None if info.deleted else (await store.get("a", version=info.version)).data
        for info in infos
    ]
    current = [(await store.get(info.name)).data for info in await store.list()]
    assert current == [data for data in found[:1] if data is not None]
    assert (await store.verify()).ok
    return found


@pytest.mark.parametrize("what", CHANGES)
async def test_versions_killed_at_every_instant(
    server: NatsServer,
    js: jetstow.JetStreamContext,
    forker: Process,
    bucket: str,
    what: str,
) -> None:
    change = CHANGES[what]
    results: list[tuple[Versions, int]] = []
    raw = await nats.connect(server.url)
    for number in range(1, 100):
        name = f"{bucket}-{number}"
        store = await begin(js, name, change)
        await store.collect_garbage(grace=0)
        clean = await message_count(raw, name)
        exit_code = await run_child(forker, name, change.verb, change.data.hex(), number, "after")
        if exit_code != 0:
            assert exit_code == -signal.SIGKILL
            await wait_for_child(server, raw, name)
        state = await read_versions(store)
        assert state in (change.before, change.after), number
        await store.collect_garbage(grace=0)
        assert await read_versions(store) == state, number
        results.append((state, await message_count(raw, name)))
        await js.delete_object_store(name)
        if exit_code == 0:
            break
    else:
        raise AssertionError("it never ended")
    await raw.close()
    minimal = results.pop()
    assert minimal[0] == change.after
    assert set(map(str, results)) <= {str((change.before, clean)), str(minimal)}, results
