"""The reply of a server whose stream has just lost the leader (docs/decisions/0049)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.aio.msg import Msg

PREFIX = "LEADERLESS.API"


@asynccontextmanager
async def leaderless(nc: Client, stream: str) -> AsyncIterator[list[str]]:
    """Serve the JetStream API at `PREFIX`. The first STREAM.INFO of a stream has no leader.

    STREAM.LIST leaves it out, as the server does then.

    Yield a list, to which the requests that were answered so are added.
    """
    wrong: list[str] = []

    async def forward(message: Msg) -> None:
        api = message.subject.removeprefix(PREFIX)
        data = (await nc.request(f"$JS.API{api}", message.data)).data
        if api == f".STREAM.INFO.{stream}" and not wrong:
            wrong.append(api)
            info = json.loads(data)
            info |= {"cluster": {"name": "test"}, "total": 0}
            info["state"]["subjects"] = None
            data = json.dumps(info).encode()
        elif api == ".STREAM.LIST":
            page = json.loads(data)
            page["streams"] = [each for each in page["streams"] if each["config"]["name"] != stream]
            data = json.dumps(page | {"missing": [stream]}).encode()
        await message.respond(data)

    subscription = await nc.subscribe(f"{PREFIX}.>", cb=forward)
    await nc.flush()
    try:
        yield wrong
    finally:
        await subscription.unsubscribe()
