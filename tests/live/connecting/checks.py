"""Checks of a connection, and of what an error reveals."""

from __future__ import annotations

import itertools
import traceback

import jetstow
from tests.support.samples import some_bytes

_numbers = itertools.count(1)


async def check_jetstream(js: jetstow.JetStreamContext) -> None:
    """Put, get and list an object of a few chunks in a new bucket."""
    store = await js.create_object_store(f"trip-{next(_numbers)}")
    data = some_bytes(300_000)
    await store.put("a", data)
    assert (await store.get("a")).data == data
    assert [info.name for info in await store.list()] == ["a"]
    await js.delete_object_store(store.bucket)


def server_name(nc: jetstow.Client) -> str:
    """Return the name of the server."""
    return str(nc._server_info["server_name"])


def full_text(error: BaseException) -> str:
    """Return an error as a program would log it, with its causes."""
    return "".join(traceback.format_exception(error)) + repr(error)
