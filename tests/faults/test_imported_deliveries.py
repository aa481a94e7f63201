"""A bucket of another account, whose JetStream API is imported: replies may not arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import PermissionDeniedError, TimeoutError
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.one_path, pytest.mark.first_and_last_version]

DATA = some_bytes(1_000_000)
HEARTBEAT = 0.2


@contextmanager
def two_accounts(version: str, *, response_type: str, imports: str = "") -> Iterator[NatsServer]:
    """A server whose account "user" imports the JetStream API of the account "owner".

    `imports` are subjects of services and, with `stream:` before them, of streams.
    """
    services = ["$JS.API.>", "$O.>", *(each for each in imports.split() if each[0] == "$")]
    streams = [each.removeprefix("stream:") for each in imports.split() if each[0] != "$"]
    exported = [f'{{service: "{each}", response_type: {response_type}}}' for each in services]
    exported += [f'{{stream: "{each}"}}' for each in streams]
    imported = [f'{{service: {{account: OWNER, subject: "{each}"}}}}' for each in services[1:]]
    imported += [f'{{stream: {{account: OWNER, subject: "{each}"}}}}' for each in streams]
    imported.append('{service: {account: OWNER, subject: "$JS.API.>"}, to: "JS.OWNER.API.>"}')
    config = f"""accounts {{
        OWNER {{ jetstream: enabled, users: [{{user: owner, password: p}}],
                exports: [{", ".join(exported)}] }}
        USER {{ users: [{{user: user, password: p}}], imports: [{", ".join(imported)}] }}
    }}"""
    with NatsServer(version, config=config) as server:
        yield server


@pytest.fixture(autouse=True)
def short_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    from jetstow._core.read import ordered_consumer

    monkeypatch.setattr(ordered_consumer, "_HEARTBEAT", HEARTBEAT)
    monkeypatch.setattr(ordered_consumer, "_MAX_SILENCE", 2.5 * HEARTBEAT)


async def imported_bucket(
    server: NatsServer, description: str = "", links: int = 2
) -> AsyncIterator[jetstow.ObjectStore]:
    """Create a bucket with two objects and some links; open it in the other account."""
    async with (
        jetstow.connect(server.url, user="owner", password="p") as owner,
        jetstow.connect(server.url, user="user", password="p") as user,
    ):
        store = await owner.jetstream().create_object_store("b", storage="memory")
        await store.put("a", DATA)
        await store.put("small", b"data")
        for number in range(links):
            await store.add_link(f"{number}", "a")
            await store.update_meta(f"{number}", ObjectMeta(description=description))
        yield await user.jetstream(prefix="JS.OWNER.API", timeout=1).object_store("b")


async def test_deliveries_that_are_not_imported(server: NatsServer) -> None:
    """The watcher waited forever. Everything else works."""
    with two_accounts(server.version, response_type="stream") as own:
        async for store in imported_bucket(own):
            await store.put("b", DATA)
            assert [info.name for info in await store.list()] == ["a", "small", "0", "1", "b"]
            assert (await store.get("0")).data == DATA
            assert (await store.verify()).ok
            async with await store.watch() as changes:
                with pytest.raises(PermissionDeniedError, match="do not arrive on") as caught:
                    await changes.updates(timeout=None)
            subject = caught.value.subject
            assert subject is not None
            assert subject.startswith("_INBOX.")
            assert subject in str(caught.value)
            assert "import this subject, too" in str(caught.value)
            assert caught.value.bucket == "b"


async def test_deliveries_that_are_imported(server: NatsServer) -> None:
    imports = "$JS.FC.> stream:_INBOX.>"
    with two_accounts(server.version, response_type="stream", imports=imports) as own:
        async for store in imported_bucket(own):
            async with await store.watch() as changes:
                await _read_current(changes)
                await store.put("b", b"data")
                change = await changes.updates()
                assert change is not None
                assert change.name == "b"


# Server 2.9 sent all 8 MB without an answer to its flow control.
@pytest.mark.min_server("2.11")
async def test_flow_control_that_is_not_imported(server: NatsServer) -> None:
    """The server stops sending when the first window is full."""
    with two_accounts(server.version, response_type="stream", imports="stream:_INBOX.>") as own:
        async for store in imported_bucket(own, "x" * 200_000, 40):
            async with await store.watch() as changes:
                with pytest.raises(PermissionDeniedError, match="flow control") as caught:
                    await _read_current(changes)
            assert (caught.value.subject or "").startswith("$JS.FC.OBJ_b")


async def _read_current(changes: jetstow.ObjectWatcher) -> None:
    while await changes.updates(timeout=30) is not None:
        pass


READS: dict[str, Callable[[jetstow.ObjectStore], Awaitable[object]]] = {
    "get": lambda store: store.get("a"),
    "list": lambda store: store.list(),
    "verify": lambda store: store.verify(quick=True),
    "collect_garbage": lambda store: store.collect_garbage(dry_run=True),
}


async def test_only_the_first_reply_is_imported(server: NatsServer) -> None:
    """By default, a service passes on one reply to a request. The error named the timeout only."""
    with two_accounts(server.version, response_type="single") as own:
        async for store in imported_bucket(own):
            assert (await store.get_info("a")).size == len(DATA)
            for verb, read in READS.items():
                if verb == "list" and not server.at_least("2.11"):
                    assert len(await store.list()) == 4  # it asks for each name
                    continue
                with pytest.raises(TimeoutError, match="must set response_type: stream") as caught:
                    await read(store)
                assert caught.value.bucket == "b", verb
