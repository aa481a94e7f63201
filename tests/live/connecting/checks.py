"""That a connection really works, and that no secret shows."""

from __future__ import annotations

import itertools
import traceback

import jetstow
from tests.support.samples import some_bytes

_numbers = itertools.count(1)


async def works(js: jetstow.JetStreamContext) -> None:
    """A few chunks go there and come back."""
    store = await js.create_object_store(f"trip-{next(_numbers)}")
    data = some_bytes(300_000)
    await store.put("a", data)
    assert (await store.get("a")).data == data
    assert [info.name for info in await store.list()] == ["a"]
    await js.delete_object_store(store.bucket)


def name_of(nc: jetstow.Client) -> str:
    """The name of the server that the connection leads to."""
    return str(nc._server_info["server_name"])


def told(error: BaseException) -> str:
    """All that a program's log would have of an error: its causes, too."""
    return "".join(traceback.format_exception(error)) + repr(error)
