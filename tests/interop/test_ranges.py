"""Ranges of objects that other clients wrote concurrently: four round trips at most."""

from __future__ import annotations

import asyncio
import random

import pytest

import jetstow
from tests.support.peers import Peer, PeerMeta
from tests.support.round_trips import RoundTripCounter
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

SIZE = 20_000


async def test_ranges_of_interleaved_peer_objects(
    peer: Peer,
    theirs: jetstow.ObjectStore,
    server: NatsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contents = {f"object {n}": some_bytes(60 * SIZE + n, n) for n in range(4)}
    await peer.put(theirs.bucket, "alone", contents["object 0"], PeerMeta(chunk_size=SIZE))
    contents["alone"] = contents["object 0"]
    await asyncio.gather(
        *(
            peer.put(theirs.bucket, name, data, PeerMeta(chunk_size=SIZE))
            for name, data in contents.items()
            if name != "alone"
        )
    )
    rounds, chance = RoundTripCounter(monkeypatch), random.Random(1)
    for name, data in contents.items():
        for _ in range(6):
            start = chance.randrange(len(data))
            rounds.reset()
            assert await theirs.get_range(name, start, 999) == data[start : start + 999]
            if server.at_least("2.11"):
                assert rounds.count <= (3 if name == "alone" else 4)
