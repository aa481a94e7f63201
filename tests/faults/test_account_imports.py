"""Buckets of another account, whose API and subjects the user's account imports with a prefix."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import nats
import pytest

import jetstow
from jetstow.errors import (
    InvalidOptionError,
    JetStreamUnavailableError,
    TimeoutError,
    WrongStreamError,
)
from tests.support import raw_stream
from tests.support.servers import NatsServer, free_port
from tests.support.versions import LATEST

pytestmark = pytest.mark.one_path

DATA = b"n" * 600_000

# A consumer delivers in the account of the stream: B imports its own inboxes from there.
CONFIG = """
accounts {
  A: {
    jetstream: enabled
    users: [{user: a, password: a}]
    exports: [
      {service: "$JS.API.>", response_type: %(response)s}
      {service: "$JS.FC.>"}, {service: "$O.>"}, {stream: "_INBOX_B.>"}
    ]
  }
  B: {
    %(jetstream)s
    users: [{user: b, password: b}]
    imports: [
      {service: {account: A, subject: "$JS.API.>"}, to: "JS.A.API.>"}
      {service: {account: A, subject: "$O.>"}, to: "%(subjects)s"}
      {service: {account: A, subject: "$JS.FC.>"}}
      {stream: {account: A, subject: "_INBOX_B.>"}}
    ]
  }
}
no_auth_user: a
"""


def config(
    subjects: str = "JS.A.API.$O.>", *, jetstream: str = "", response: str = "stream"
) -> str:
    return CONFIG % {"subjects": subjects, "jetstream": jetstream, "response": response}


class Accounts:
    """A server with the accounts, and clients of both."""

    def __init__(self, server: NatsServer, stack: AsyncExitStack) -> None:
        self.server = server
        self._stack = stack

    async def connect(self, user: str) -> jetstow.Client:
        url = f"nats://{user}:{user}@127.0.0.1:{self.server.port}"
        connecting = jetstow.connect(url, inbox_prefix=f"_INBOX_{user.upper()}")
        return await self._stack.enter_async_context(await connecting)

    async def stores(
        self, subject_prefix: str = "JS.A.API"
    ) -> tuple[jetstow.ObjectStore, jetstow.ObjectStore]:
        """Return a bucket of account A, and the same bucket for account B."""
        own = await (await self.connect("a")).jetstream().create_object_store("b")
        js = (await self.connect("b")).jetstream(
            prefix="JS.A.API", subject_prefix=subject_prefix, timeout=2
        )
        return own, await js.object_store("b")


@pytest.fixture
async def accounts(request: pytest.FixtureRequest) -> AsyncIterator[Accounts]:
    version, text = getattr(request, "param", (LATEST, config()))
    with NatsServer(version, config=text) as server:
        async with AsyncExitStack() as stack:
            yield Accounts(server, stack)


async def check_changes(own: jetstow.ObjectStore, imported: jetstow.ObjectStore) -> None:
    """Read and change objects from the other account; the bucket's own account sees it."""
    await imported.put("a", DATA)
    assert (await own.get("a")).data == (await imported.get("a")).data == DATA
    assert await imported.get_range("a", 300_000, 1_000) == DATA[:1_000]
    await imported.rename("a", "b")
    await imported.add_link("link", await imported.get_info("b"))
    await imported.put("c", b"small")
    await imported.delete("c")
    async with await imported.watch() as watcher:
        names = []
        while (change := await watcher.updates(timeout=20)) is not None:
            names.append(change.name)
    assert names == ["b", "a", "link", "c"]
    assert [info.name for info in await own.list()] == ["b", "link"]
    result = await imported.verify()
    assert not result.findings
    assert result.objects == 1


@pytest.mark.parametrize(
    ("accounts", "prefix"),
    [
        ((LATEST, config()), "JS.A.API"),
        (("2.9.10", config()), "JS.A.API"),
        ((LATEST, config("A.$O.>")), "A"),
        ((LATEST, config("$O.>")), ""),
        ((LATEST, config(jetstream="jetstream: enabled")), "JS.A.API"),
    ],
    indirect=["accounts"],
)
async def test_bucket_of_another_account(accounts: Accounts, prefix: str) -> None:
    """Objects could be read only: messages were published without the prefix."""
    await check_changes(*await accounts.stores(prefix))


@pytest.mark.slow
async def test_missing_prefix(accounts: Accounts) -> None:
    own, imported = await accounts.stores(subject_prefix="")
    for change in (imported.put("a", DATA), imported.add_bucket_link("link", "b")):
        with pytest.raises(JetStreamUnavailableError, match=r"'\$O\.b\.[CM]\..* subject_prefix"):
            await change
    assert (await own.status()).stream_info.state.messages == 0


@pytest.mark.slow
async def test_wrong_prefix(accounts: Accounts) -> None:
    _, imported = await accounts.stores(subject_prefix="X.Y")
    with pytest.raises(JetStreamUnavailableError, match=r"'X\.Y\.\$O\.b\.C\."):
        await imported.put("a", DATA)


@pytest.mark.parametrize(
    "accounts", [(LATEST, config(jetstream="jetstream: enabled"))], indirect=True
)
async def test_local_bucket_of_the_same_name(accounts: Accounts) -> None:
    """Without the prefix, messages reached the bucket of the user's own account.

    Both streams have the same name and no domain, so acknowledgements are equal, too.
    """
    own, imported = await accounts.stores(subject_prefix="")
    local = await (await accounts.connect("b")).jetstream().create_object_store("b")
    for change in (imported.put("a", DATA), imported.add_bucket_link("link", "b")):
        with pytest.raises(WrongStreamError, match=r"'\$O\.b\.>' .* set subject_prefix"):
            await change
    for store in (own, local):
        assert (await store.status()).stream_info.state.messages == 0
    js = (await accounts.connect("b")).jetstream(prefix="JS.A.API", subject_prefix="JS.A.API")
    await (await js.object_store("b")).put("a", DATA)
    assert (await own.get("a")).data == DATA
    assert await local.list() == []


@pytest.mark.parametrize(
    "accounts",
    [(version, config(response="singleton")) for version in (LATEST, "2.9.10")],
    indirect=True,
)
async def test_export_with_single_responses(accounts: Accounts) -> None:
    """The server drops all messages of a batch but the first: the error says so."""
    _, imported = await accounts.stores()
    await imported.put("a", DATA)
    for reading in (imported.get("a"), imported.verify()):
        with pytest.raises(TimeoutError, match="response_type"):
            await reading


@pytest.mark.parametrize("prefix", ["a b", "a.>", "*", ".a", "a.", "a..b", "x" * 101, 3])
async def test_invalid_prefix(server: NatsServer, prefix: str) -> None:
    async with jetstow.connect(server.url) as nc:
        with pytest.raises(InvalidOptionError, match="subject_prefix"):
            nc.jetstream(subject_prefix=prefix)


# -- leaf node ---------------------------------------------------------------------------


@pytest.fixture
def leaf_of_b() -> Iterator[tuple[NatsServer, NatsServer]]:
    """A hub with the accounts, and a leaf node whose connection is in account B."""
    port = free_port()
    hub_config = f'{config()}\nleafnodes {{ listen: "127.0.0.1:{port}" }}'
    remote = f'{{ url: "nats://b:b@127.0.0.1:{port}" }}'
    with (
        NatsServer(name="hub", config=hub_config, jetstream="domain: hub") as hub,
        NatsServer(
            name="leaf", config=f"leafnodes {{ remotes: [{remote}] }}", jetstream="domain: leaf"
        ) as leaf,
    ):
        yield hub, leaf


async def test_bucket_of_another_account_over_a_leaf_node(
    leaf_of_b: tuple[NatsServer, NatsServer],
) -> None:
    hub, leaf = leaf_of_b
    async with (
        jetstow.connect(hub.url) as nc,
        jetstow.connect(leaf.url, inbox_prefix="_INBOX_B") as leaf_nc,
    ):
        own = await nc.jetstream().create_object_store("b")
        while True:
            try:
                await leaf_nc.request("JS.A.API.INFO", timeout=1)
                break
            except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
                continue
        local = await leaf_nc.jetstream().create_object_store("b")
        js = leaf_nc.jetstream(prefix="JS.A.API", subject_prefix="JS.A.API")
        await check_changes(own, await js.object_store("b"))
        assert await local.list() == []
        assert not await raw_stream.names(leaf_nc, "b")
