"""Ranges of what other clients wrote, alone and several at a time: four round trips at most."""

from __future__ import annotations

import asyncio
import random

import pytest

import jetstow
from tests.support.peers import Meta, Peer
from tests.support.round_trips import Rounds
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

SIZE = 20_000


async def test_ranges_of_what_others_wrote_at_the_same_time(
    peer: Peer,
    theirs: jetstow.ObjectStore,
    server: NatsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    datas = {f"object {n}": some_bytes(60 * SIZE + n, n) for n in range(4)}
    await peer.put(theirs.bucket, "alone", datas["object 0"], Meta(chunk_size=SIZE))
    datas["alone"] = datas["object 0"]
    await asyncio.gather(
        *(
            peer.put(theirs.bucket, name, data, Meta(chunk_size=SIZE))
            for name, data in datas.items()
            if name != "alone"
        )
    )
    rounds, chance = Rounds(monkeypatch), random.Random(1)
    for name, data in datas.items():
        for _ in range(6):
            start = chance.randrange(len(data))
            rounds.start()
            assert await theirs.get_range(name, start, 999) == data[start : start + 999]
            if server.at_least("2.11"):
                assert rounds.count <= (3 if name == "alone" else 4)
