"""The wall clock of the client jumps by hours, both ways, while transfers run.

The client is a process with libfaketime, which changes the wall clock of that process only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

PROGRAM = """
    import asyncio, datetime, json, os, sys, time
    from pathlib import Path
    import jetstow
    from jetstow import ObjectMeta, ObjectMetaOptions

    url, folder, hours = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    clock = Path(os.environ["FAKETIME_TIMESTAMP_FILE"])
    data = os.urandom(300_000)
    meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))
    hour = 3600

    def jump(by):
        before = time.time()
        clock.write_text(f"{by * hour:+d}")
        return round((time.time() - before) / hour)

    async def jumping(by):
        for start in range(0, len(data), 100_000):
            yield data[start : start + 100_000]
            jump(by if start else 0)

    async def main():
        result = {"jumped": jump(hours)}
        jump(0)
        async with jetstow.connect(url) as nc:
            store = await nc.jetstream().create_object_store("b")

            await store.put("plain", jumping(hours), meta)
            chunks = []
            async for chunk in store.stream("plain"):
                chunks.append(chunk)
                jump(0 if len(chunks) % 2 else hours)
            result["plain"] = b"".join(chunks) == data

            # An upload that starts at one time and ends at another, and later changes.
            jump(0)
            await store.put("ttl", jumping(hours), meta, ttl=hour)
            await store.update_meta("ttl", ObjectMeta(description="changed"))
            jump(0)
            await store.copy("ttl", "copy")
            await store.rename("ttl", "renamed")
            now = datetime.datetime.now(datetime.UTC)
            result["remaining"] = [
                (await store.get_info(name)).expires.timestamp() - now.timestamp()
                for name in ("renamed", "copy")
            ]

            # Transfers with resume that stop and continue at another time.
            (folder / "file").write_bytes(data)
            for method, path in ((store.put_file, folder / "file"), (store.get_file, None)):
                jump(0)
                for by in (hours, 0):
                    jump(by)
                    stop = (lambda done, of: 1 / 0 if done > 100_000 else None) if by else None
                    try:
                        if path is not None:
                            await method(path, "file", meta, resume=True, progress=stop)
                        else:
                            await method("file", folder / "target", resume=True, progress=stop)
                    except ZeroDivisionError:
                        pass
            result["resumed"] = (folder / "target").read_bytes() == data

            # A second sync changes nothing.
            tree = folder / "tree"
            tree.mkdir()
            (tree / "a").write_bytes(data)
            jump(0)
            await jetstow.upload_folder(tree, store, prefix="tree/")
            jump(hours)
            again = await jetstow.upload_folder(tree, store, prefix="tree/")
            back = await jetstow.download_folder(store, tree, prefix="tree/")
            result["synced"] = [len(again.unchanged), len(back.unchanged)]

            # The chunks of a running upload are younger than the grace period.
            async def collecting():
                yield data
                jump(hours)
                result["collected"] = (await store.collect_garbage(grace=hour / 2)).messages
                yield data
            await store.put("during", collecting(), meta)
            result["during"] = (await store.get("during")).data == 2 * data

            jump(hours)
            age = datetime.timedelta(hours=1)
            result["found"] = [
                len(await store.find("plain", newer_than=age)),
                len([info async for info in store.find("plain", older_than=age)]),
            ]

            async with store.watch() as watcher:
                jump(0)
                result["watched"] = (await watcher.updates()).name != ""
            result["ok"] = (await store.verify()).ok
        print(json.dumps(result))

    asyncio.run(main())
"""


def library() -> Path:
    found = list(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    assert found, "libfaketime is missing: make installs it"
    return found[0]


def run(server: NatsServer, folder: Path, hours: int) -> dict[str, Any]:
    clock = folder / "clock"
    clock.write_text("+0")
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "JETSTOW_HOME": str(folder / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), server.url, folder, str(hours)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("hours", [5, -5])
def test_jumps_of_the_wall_clock(fragile: NatsServer, tmp_path: Path, hours: int) -> None:
    """After a jump forward, `update_meta` gave an object with a ttl one second to live, and `find`
    returned new objects as old ones.
    """
    result = run(fragile, tmp_path, hours)
    assert result.pop("jumped") == hours
    assert all(3_500 < seconds <= 3_600 for seconds in result.pop("remaining"))
    assert result == {
        "plain": True,
        "resumed": True,
        "synced": [1, 1],
        "collected": 0,
        "during": True,
        "found": [1, 0],
        "watched": True,
        "ok": True,
    }
