"""Count the files that one call of a verb goes through, and how often it changes file.

    python scripts/count_hops.py [--package nats]

Runs put, get and get_range of 1,000 bytes on the server that `jetstow.connect` chooses, warm, under
`sys.setprofile`. "Calls" are calls of Python functions of the package, "files" the source files
that they are in, and "changes" how often the next call is in another file than the last one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Self

import jetstow

DATA = bytes(1_000)


class Hops:
    """Counts calls while it is entered."""

    def __init__(self, package: str) -> None:
        self.files: set[str] = set()
        self.changes = 0
        self.calls = 0
        self._package = f"/{package}/"
        self._file = ""

    def __enter__(self) -> Self:
        sys.setprofile(self._on_event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _on_event(self, frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        if event != "call" or self._package not in file:
            return
        self.calls += 1
        self.files.add(file)
        if file != self._file:
            self.changes += 1
            self._file = file


async def measure(package: str, name: str, verb: Callable[[], Awaitable[object]]) -> None:
    """Print the counts of one call, after three calls to warm up."""
    for _ in range(3):
        await verb()
    with Hops(package) as hops:
        await verb()
    print(f"{name:<10} {hops.calls:>5} calls {len(hops.files):>4} files {hops.changes:>5} changes")


async def main(package: str) -> None:
    nc = await jetstow.connect()
    try:
        js = nc.jetstream()
        store = await js.create_object_store("hops")
        await store.put("a", DATA)
        if package == "nats":
            store = await type(js).__mro__[1](nc).object_store("hops")
        await measure(package, "put", lambda: store.put("a", DATA))
        await measure(package, "get", lambda: store.get("a"))
        if package != "nats":
            await measure(package, "get_range", lambda: store.get_range("a", 10, 100))
        await js.delete_object_store("hops")
    finally:
        await nc.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", default="jetstow", help="jetstow (default) or nats")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.package))
