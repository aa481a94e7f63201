"""The other clients, and a bucket that jetstow and the peer share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.peers import Peer
from tests.support.peers.nats_go import NatsGo
from tests.support.peers.nats_js import NatsJs
from tests.support.peers.nats_py import NatsPy
from tests.support.peers.natsrpy import NatsRpy
from tests.support.peers.process import PeerProcess, ProcessPeer
from tests.support.servers import NatsServer

if TYPE_CHECKING:
    import jetstow

PEERS: dict[str, type[Any]] = {peer.name: peer for peer in (NatsPy, NatsRpy, NatsJs, NatsGo)}


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test by peer: every peer, or those with the abilities in `peers`."""
    metafunc.definition.add_marker(pytest.mark.first_and_last_version)
    if "peer" not in metafunc.fixturenames:
        return
    if any(mark.args[0] == "peer" for mark in metafunc.definition.iter_markers("parametrize")):
        return  # the test names its peer
    marker = metafunc.definition.get_closest_marker("peers")
    abilities = marker.args if marker else ()
    names = [
        name for name, peer in PEERS.items() if all(getattr(peer, ability) for ability in abilities)
    ]
    metafunc.parametrize("peer", names, indirect=True)


@pytest.fixture(scope="session")
def processes() -> Iterator[dict[str, PeerProcess]]:
    """The processes of clients that a test has started, by the name of the client."""
    started: dict[str, PeerProcess] = {}
    yield started
    for process in started.values():
        process.close()


@pytest.fixture
async def peer(
    request: pytest.FixtureRequest, server: NatsServer, processes: dict[str, PeerProcess]
) -> AsyncIterator[Peer]:
    """Another client, connected to the same server."""
    kind = PEERS[request.param]
    if issubclass(kind, ProcessPeer):
        if kind.name not in processes:
            processes[kind.name] = PeerProcess(kind.name, kind.command())
        client: Peer = kind(processes[kind.name])
    else:
        client = kind()
    await client.open(server.url)
    yield client
    await client.close()


@pytest.fixture
async def theirs(
    peer: Peer, js: jetstow.JetStreamContext, bucket: str
) -> AsyncIterator[jetstow.ObjectStore]:
    """A jetstow store on a bucket that the peer created."""
    from jetstow.errors import BucketNotFoundError

    await peer.create(bucket)
    yield await js.object_store(bucket)
    with suppress(BucketNotFoundError):
        await js.delete_object_store(bucket)
