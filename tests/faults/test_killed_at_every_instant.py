"""A process that dies at any instant leaves whole objects, and nothing that cannot be cleared.

A child changes a bucket and kills itself around the k-th message that it sends: before it
is sent, or once the server has it and before any answer to it has been heeded. k grows until
the change is complete. Whatever is left must be what was there before or what was to be
there; and once `collect_garbage` has run, as little as a clean change leaves.
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
# Enough for a batch, which begins with the ninth chunk.
LONG: Final = some_bytes(105)

# Imports once, and forks for every death: no thread and no loop runs in it yet.
MORGUE: Final = """
    import asyncio, json, os, signal, sys
    import jetstow
    from jetstow import ObjectMeta, ObjectMetaOptions
    from jetstow._core.transport.inbox import Replies

    CUT = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def die_around(number, when):
        publish, sent = Replies.publish, 0

        def publish_or_die(self, *message):
            nonlocal sent
            sent += 1
            if sent == number and when == "before":
                die()
            step = publish(self, *message)
            return step if sent != number else die_after(self.nc, step)

        async def die_after(nc, step):
            if step is not None:
                await step
            await nc.flush()  # the server has read all of it
            die()

        Replies.publish = publish_or_die

    CHANGES = {
        "put": lambda store, data: store.put("a", data, CUT),
        "delete": lambda store, data: store.delete("a"),
        "rename": lambda store, data: store.update_meta("a", ObjectMeta(name="b")),
        "describe": lambda store, data: store.update_meta("a", ObjectMeta(description="new")),
        "link": lambda store, data: store.add_link("a", "target"),
    }

    async def change(bucket, verb, data, number, when):
        async with await jetstow.connect(sys.argv[1], name=bucket) as nc:
            store = await nc.jetstream().object_store(bucket)
            die_around(number, when)
            await CHANGES[verb](store, bytes.fromhex(data))

    for line in sys.stdin:
        if not (child := os.fork()):
            asyncio.run(change(*json.loads(line)))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

# What stands under each name: its bytes, its description, and whether it is a link.
State = dict[str, tuple[bytes, str, bool]]


def objects(**data: bytes) -> State:
    return {name: (found, "", False) for name, found in data.items()}


async def nothing(_: jetstow.ObjectStore) -> None: ...


async def an_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", OLD, CUT)


async def a_target(store: jetstow.ObjectStore) -> None:
    await store.put("target", OLD, CUT)


async def a_link(store: jetstow.ObjectStore) -> None:
    await store.put("target", OLD, CUT)
    await store.put("other", NEW, CUT)
    await store.add_link("a", "other")


@dataclass(frozen=True)
class Change:
    """What is changed, and what is there before and after."""

    verb: str
    begin: Callable[[jetstow.ObjectStore], Awaitable[None]]
    before: State
    after: State
    between: State | None = None
    data: bytes = NEW


LINK: Final = (OLD, "", True)
CHANGES: Final = {
    "a new object": Change("put", nothing, {}, objects(a=LONG), data=LONG),
    "a replaced object": Change("put", an_object, objects(a=OLD), objects(a=NEW)),
    "a deleted object": Change("delete", an_object, objects(a=OLD), {}),
    "a renamed object": Change(
        "rename", an_object, objects(a=OLD), objects(b=OLD), objects(a=OLD, b=OLD)
    ),
    "a described object": Change(
        "describe", an_object, objects(a=OLD), {"a": (OLD, "new", False)}
    ),
    "a new link": Change(
        "link", a_target, objects(target=OLD), {"target": (OLD, "", False), "a": LINK}
    ),
    "a replaced link": Change(
        "link",
        a_link,
        objects(target=OLD, other=NEW) | {"a": (NEW, "", True)},
        objects(target=OLD, other=NEW) | {"a": LINK},
    ),
}  # fmt: skip


# The child takes the server's best path, whichever this process takes.
pytestmark = pytest.mark.not_on("consumer", "plain")


@pytest.fixture
async def morgue(server: NatsServer) -> AsyncIterator[Process]:
    program = textwrap.dedent(MORGUE)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, server.url, stdin=PIPE, stdout=PIPE
    )
    yield process
    process.kill()
    await process.communicate()


async def end_of(morgue: Process, *change: object) -> int:
    """How a child ended that has made this change, or has died of it."""
    assert morgue.stdin is not None
    assert morgue.stdout is not None
    morgue.stdin.write(json.dumps(change).encode() + b"\n")
    return int(await morgue.stdout.readline())


async def found_in(store: jetstow.ObjectStore, raw: Client) -> State:
    """What a reader finds, the same by nats-py."""
    theirs = await raw.jetstream().object_store(store.bucket)
    state: State = {}
    for info in await store.list():
        data = (await store.get(info.name)).data
        assert (await theirs.get(info.name)).data == data
        state[info.name] = (data, info.description or "", info.link is not None)
    return state


async def stored(raw: Client, bucket: str) -> int:
    return sum((await raw_stream.subjects(raw, bucket)).values())


async def settled(server: NatsServer, raw: Client, bucket: str) -> None:
    """The server has worked off everything that the child has sent."""
    while any(each.get("name") == bucket for each in server.monitor("connz")["connections"] or ()):
        await asyncio.sleep(0)
    # A stream stores in order: what has come before this one is stored when it is.
    await object_builder.write_chunks(raw, bucket, [b"last"])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", CHANGES)
async def test_killed_at_every_instant(
    server: NatsServer,
    js: jetstow.JetStreamContext,
    morgue: Process,
    bucket: str,
    what: str,
    when: str,
) -> None:
    change = CHANGES[what]
    left: list[tuple[State, int]] = []
    raw = await nats.connect(server.url)
    for number in range(1, 100):
        name = f"{bucket}-{number}"
        store = await js.create_object_store(name, storage="memory")
        await change.begin(store)
        clean = await stored(raw, name)
        end = await end_of(morgue, name, change.verb, change.data.hex(), number, when)
        if end == 0:
            assert await found_in(store, raw) == change.after
            minimal = await stored(raw, name)
            await js.delete_object_store(name)
            break
        assert end == -signal.SIGKILL
        await settled(server, raw, name)
        state = await found_in(store, raw)
        assert state in (change.before, change.after, change.between), number
        await store.collect_garbage(grace=0)
        then = await found_in(store, raw)
        assert then == (change.after if state == change.between else state), number
        assert (await store.verify()).ok
        left.append((then, await stored(raw, name)))
        await js.delete_object_store(name)
    else:
        raise AssertionError("it never ended")
    await raw.close()
    assert left[0] == (change.before, clean)
    expected = [(change.before, clean), (change.after, minimal)]
    assert all(each in expected for each in left), [count for _, count in left]
    if when == "after":  # the last message
        assert left[-1] == (change.after, minimal)
