"""The console in Chromium: `python -m benchmarks.console`.

The time until the first row of a bucket is painted, of 100,000 objects and of none, in turn: from
the start of the navigation, with the modules in the browser's cache. And the frames per second
while a list of 100,000 objects is scrolled, with the longest frame.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
from pathlib import Path
from typing import Any

import nats

from tests.support.browser import Visit, launched, visiting
from tests.support.gateway import new_client
from tests.support.object_builder import write_names
from tests.support.served import Served
from tests.support.servers import NatsServer

REPEATS = 9
NAMES = 100_000
BUCKETS = {"empty": 0, "one-object": 1, "large": NAMES}
SCROLL = 60_000  # pixels
SPEED = 12_000  # pixels a second

# When a row is painted, or that the bucket is empty: in the frame after the one that drew it.
PAINTED = """
(() => new Promise((resolve) => {
  const shown = () => document.querySelector("[role=grid] [role=row] a, main .empty");
  const check = () => shown()
    ? requestAnimationFrame(() => resolve(performance.now()))
    : requestAnimationFrame(check);
  check();
}))()
"""
FIRST_PAINT = """
(() => new Promise((resolve) => {
  const check = () => {
    const [entry] = performance.getEntriesByName("first-contentful-paint");
    if (entry) resolve(entry.startTime);
    else requestAnimationFrame(check);
  };
  check();
}))()
"""
# The times of frames, and frames in which the middle of the list has no row.
RECORD = """
window.frames_seen = [];
window.blank_frames = 0;
(() => {
  const grid = document.querySelector("[role=grid]");
  const box = grid.getBoundingClientRect();
  const step = (now) => {
    window.frames_seen.push(now);
    const hit = document.elementFromPoint(box.x + 200, Math.min(box.y + 300, innerHeight - 60));
    if (!hit || !hit.closest("[role=row]")) window.blank_frames += 1;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})();
"""


async def measure_paint(visit: Visit, bucket: str) -> tuple[float, float]:
    """Return the first paint of a folder and the first paint of its rows, in milliseconds."""
    await visit.page.goto("about:blank")
    await visit.open_folder(bucket)
    shown = await visit.page.evaluate(PAINTED)
    return await visit.page.evaluate(FIRST_PAINT), shown


async def measure_scrolling(visit: Visit) -> None:
    """Print the frames per second while the list is scrolled by a gesture."""
    await visit.open_folder("large")
    await visit.page.evaluate(PAINTED)
    session = await visit.page.context.new_cdp_session(visit.page)
    await visit.page.evaluate(RECORD)
    gesture: dict[str, Any] = {
        "x": 700, "y": 500, "yDistance": -SCROLL, "speed": SPEED, "gestureSourceType": "mouse",
    }  # fmt: skip
    await session.send("Input.synthesizeScrollGesture", gesture)
    frames = await visit.page.evaluate("frames_seen")
    blank = await visit.page.evaluate("blank_frames")
    lengths = [after - before for before, after in itertools.pairwise(frames)]
    rate = 1000 * len(lengths) / sum(lengths)
    late = sum(length > 25 for length in lengths)
    print(
        f"scrolling {SCROLL:,} pixels of {NAMES:,} objects: {rate:.1f} frames a second, "
        f"longest {max(lengths):.0f} ms, {late} of {len(lengths)} over 25 ms, {blank} without rows"
    )


async def measure(served: Served, nats_url: str, repeats: int) -> None:
    """Fill the buckets, and measure all."""
    raw = await nats.connect(nats_url)
    for bucket, count in BUCKETS.items():
        new_client(served.url, served.key).create_bucket(Bucket=bucket)
        await write_names(raw, bucket, (f"object-{number:06}.bin" for number in range(count)))
    await raw.close()
    async with launched() as chromium, visiting(chromium, served.url) as visit:
        await visit.sign_in(served.key)
        for bucket in BUCKETS:
            first, shown = await measure_paint(visit, bucket)
            print(f"{bucket:12} first visit: paint {first:5.0f} ms, list {shown:5.0f} ms")
        samples: dict[str, list[tuple[float, float]]] = {bucket: [] for bucket in BUCKETS}
        for _ in range(repeats):
            for bucket in BUCKETS:
                samples[bucket].append(await measure_paint(visit, bucket))
        medians = {
            bucket: [statistics.median(each) for each in zip(*found, strict=True)]
            for bucket, found in samples.items()
        }
        for bucket, (first, shown) in medians.items():
            ratio = shown / medians["empty"][1]
            print(
                f"{bucket:12} paint {first:5.0f} ms, list {shown:5.0f} ms: {ratio:.2f} of an "
                f"empty bucket's"
            )
        await measure_scrolling(visit)


def main() -> None:
    """Start a server and a gateway, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    repeats = parser.parse_args().repeats
    with (
        tempfile.TemporaryDirectory() as home,
        NatsServer() as server,
        Served(server.url, home=Path(home)) as served,
    ):
        asyncio.run(measure(served, server.url, repeats))


if __name__ == "__main__":
    main()
