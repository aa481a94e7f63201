"""A process that is killed at any moment leaves whole objects, and garbage that can be collected.

A child process changes a bucket and kills itself at the k-th message that it sends: before it sends
it, or after the server has it and before the child processes a reply. k grows until the change
completes. The bucket must then be in the state before the change or the one after it. After
`collect_garbage`, it must have as few messages as after an uninterrupted change.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import textwrap
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import nats
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

CUT: Final = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))
OLD: Final = some_bytes(35)
NEW: Final = some_bytes(25)
# One chunk.
SMALL: Final = some_bytes(9)
# 11 chunks.
LONG: Final = some_bytes(105)

# It imports once and forks for every child, before any thread or event loop runs.
CHILD_PROGRAM: Final = """
    import asyncio, json, os, signal, sys
    import jetstow
    from jetstow import ObjectMeta, ObjectMetaOptions
    from jetstow._core.transport.inbox import Inbox

    CUT = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def die_around(number, when):
        publish, sent = Inbox.publish, 0

        def publish_or_die(self, *message):
            nonlocal sent
            sent += 1
            if sent == number and when == "before":
                die()
            step = publish(self, *message)
            if sent != number:
                return step
            self._receivers.clear()  # no reply is processed
            return die_after(self.nc, step)

        async def die_after(nc, step):
            if step is not None:
                await step
            await nc.flush()  # the server has read all of it
            die()

        Inbox.publish = publish_or_die

    CHANGES = {
        "put": lambda store, data: store.put("a", data, CUT),
        "replace": lambda store, data: store.put("a", data, CUT),
        "delete": lambda store, data: store.delete("a"),
        "rename": lambda store, data: store.update_meta("a", ObjectMeta(name="b")),
        "describe": lambda store, data: store.update_meta("a", ObjectMeta(description="new")),
        "link": lambda store, data: store.add_link("a", "target"),
        "remove the current version": lambda store, data: remove(store, 0),
        "remove an old version": lambda store, data: remove(store, 1),
        "restore": lambda store, data: restore(store),
    }

    async def remove(store, number):
        await store.delete("a", version=(await store.versions("a"))[number].version)

    async def restore(store):
        await store.restore_version("a", (await store.versions("a"))[-1].version)

    async def change(bucket, verb, data, number, when):
        async with await jetstow.connect(sys.argv[1], name=bucket) as nc:
            store = await nc.jetstream().object_store(bucket)
            if verb == "replace":
                await store.get("a")  # the put assumes this revision
            die_around(number, when)
            await CHANGES[verb](store, bytes.fromhex(data))

    for line in sys.stdin:
        if not (child := os.fork()):
            asyncio.run(change(*json.loads(line)))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

# By name: the bytes, the description, and whether it is a link.
State = dict[str, tuple[bytes, str, bool]]


def objects(**data: bytes) -> State:
    return {name: (found, "", False) for name, found in data.items()}


async def create_nothing(_: jetstow.ObjectStore) -> None: ...


async def create_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", OLD, CUT)


async def create_small_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", OLD[:10], CUT)


async def create_target(store: jetstow.ObjectStore) -> None:
    await store.put("target", OLD, CUT)


async def create_link(store: jetstow.ObjectStore) -> None:
    await store.put("target", OLD, CUT)
    await store.put("other", NEW, CUT)
    await store.add_link("a", "other")


@dataclass(frozen=True)
class Change:
    """A change, with the states before and after it, and a state allowed between them."""

    verb: str
    begin: Callable[[jetstow.ObjectStore], Awaitable[None]]
    before: State
    after: State
    between: State | None = None
    data: bytes = NEW


LINK: Final = (OLD, "", True)
CHANGES: Final = {
    "a new object": Change("put", create_nothing, {}, objects(a=LONG), data=LONG),
    "a replaced object": Change("put", create_object, objects(a=OLD), objects(a=NEW)),
    "a new small object": Change("put", create_nothing, {}, objects(a=SMALL), data=SMALL),
    "a replaced small object": Change(
        "put", create_object, objects(a=OLD), objects(a=SMALL), data=SMALL
    ),
    "a small object replaced at a known revision": Change(
        "replace", create_small_object, objects(a=OLD[:10]), objects(a=SMALL), data=SMALL
    ),
    "a deleted object": Change("delete", create_object, objects(a=OLD), {}),
    "a renamed object": Change(
        "rename", create_object, objects(a=OLD), objects(b=OLD), objects(a=OLD, b=OLD)
    ),
    "a described object": Change(
        "describe", create_object, objects(a=OLD), {"a": (OLD, "new", False)}
    ),
    "a new link": Change(
        "link", create_target, objects(target=OLD), {"target": (OLD, "", False), "a": LINK}
    ),
    "a replaced link": Change(
        "link",
        create_link,
        objects(target=OLD, other=NEW) | {"a": (NEW, "", True)},
        objects(target=OLD, other=NEW) | {"a": LINK},
    ),
}  # fmt: skip


# The child always uses the best path to the server.
pytestmark = pytest.mark.one_path


@pytest.fixture
async def forker(server: NatsServer) -> AsyncIterator[Process]:
    program = textwrap.dedent(CHILD_PROGRAM)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, server.url, stdin=PIPE, stdout=PIPE
    )
    yield process
    process.kill()
    await process.communicate()


async def run_child(forker: Process, *change: object) -> int:
    """Run this change in a child and return the exit code of the child."""
    assert forker.stdin is not None
    assert forker.stdout is not None
    forker.stdin.write(json.dumps(change).encode() + b"\n")
    return int(await forker.stdout.readline())


async def read_state(store: jetstow.ObjectStore, raw: Client) -> State:
    """Read the state of the bucket. nats-py must read the same."""
    theirs = await raw.jetstream().object_store(store.bucket)
    state: State = {}
    for info in await store.list():
        data = (await store.get(info.name)).data
        assert (await theirs.get(info.name)).data == data
        state[info.name] = (data, info.description or "", info.link is not None)
    return state


async def message_count(raw: Client, bucket: str) -> int:
    return sum((await raw_stream.subjects(raw, bucket)).values())


async def wait_for_child(server: NatsServer, raw: Client, bucket: str) -> None:
    """Wait until the server has processed everything that the child sent."""
    while any(each.get("name") == bucket for each in server.monitor("connz")["connections"] or ()):
        await asyncio.sleep(0)
    # A stream stores in order: this message comes after those of the child.
    await object_builder.write_chunks(raw, bucket, [b"last"])


@pytest.mark.parametrize("when", ["before", pytest.param("after", marks=pytest.mark.slow)])
@pytest.mark.parametrize("what", CHANGES)
async def test_killed_at_every_instant(
    server: NatsServer,
    js: jetstow.JetStreamContext,
    forker: Process,
    bucket: str,
    what: str,
    when: str,
) -> None:
    change = CHANGES[what]
    results: list[tuple[State, int]] = []
    raw = await nats.connect(server.url)
    for number in range(1, 100):
        name = f"{bucket}-{number}"
        store = await js.create_object_store(name, storage="memory")
        await change.begin(store)
        clean = await message_count(raw, name)
        exit_code = await run_child(forker, name, change.verb, change.data.hex(), number, when)
        if exit_code == 0:
            assert await read_state(store, raw) == change.after
            minimal = await message_count(raw, name)
            await js.delete_object_store(name)
            break
        assert exit_code == -signal.SIGKILL
        await wait_for_child(server, raw, name)
        state = await read_state(store, raw)
        assert state in (change.before, change.after, change.between), number
        await store.collect_garbage(grace=0)
        cleaned = await read_state(store, raw)
        assert cleaned == (change.after if state == change.between else state), number
        assert (await store.verify()).ok
        results.append((cleaned, await message_count(raw, name)))
        await js.delete_object_store(name)
    else:
        raise AssertionError("it never ended")
    await raw.close()
    assert results[0] == (change.before, clean)
    expected = [(change.before, clean), (change.after, minimal)]
    assert all(each in expected for each in results), [count for _, count in results]
    if when == "after":  # the last message
        assert results[-1] == (change.after, minimal)
