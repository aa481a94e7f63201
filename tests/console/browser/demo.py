"""Buckets and objects for pictures of the console."""

from __future__ import annotations

import json
import math
import struct
import zlib
from typing import Any

import nats
from nats.aio.client import Client

from tests.support import raw_stream
from tests.support.samples import digest_of

KIB, MIB, GIB = 1024, 1024**2, 1024**3

# Objects without bytes: lists show their size.
SIZES = {
    "expeditions": {
        "2025 autumn/log.txt": 18 * KIB,
        "2026 spring/log.txt": 22 * KIB,
        "2026 spring/sonar/line-01.bag": 3 * GIB,
        "2026 spring/sonar/line-02.bag": 2 * GIB + 400 * MIB,
        "calibration/camera.json": 4 * KIB,
        "camera-trap.mp4": 812 * MIB,
        "depth-model.onnx": 171 * MIB,
        "field-recording.flac": 64 * MIB,
        "permits.pdf": 880 * KIB,
        "sediment-cores.parquet": 38 * MIB,
    },
    "models": {
        "classifier/v1/model.onnx": 95 * MIB,
        "classifier/v2/model.onnx": 101 * MIB,
        "embeddings.parquet": 412 * MIB,
    },
    "nightly-backups": {f"2026-11-{day:02}.tar": 5 * GIB + day * 31 * MIB for day in range(1, 27)},
}
TABLE = "station,date,depth_m,salinity,temperature_c\n" + "".join(
    f"{'ABCD'[number % 4]}{number % 9 + 1},2026-05-{number % 28 + 1:02},{12 + number * 7 % 90},"
    f"{34 + number % 7 / 10:.1f},{8 + number * 3 % 50 / 10:.1f}\n"
    for number in range(60)
)
NOTES = """# Notes

Day 1. Calm sea, two stations. The sonar works again after a new cable.
Day 2. Wind from the west, one station. Recorded the reef for an hour.
Day 3. In port. Copied all recordings to the bucket `expeditions`.
"""


def picture(width: int = 960, height: int = 540) -> bytes:
    """Return a PNG of a sunset at sea."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            sun = math.hypot(x - width * 0.62, y - height * 0.44) / height
            rows += bytes(_color(x, y / height, sun))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", header),
            (b"IDAT", zlib.compress(bytes(rows), 9)),
            (b"IEND", b""),
        )
    )


def _color(x: int, height: float, sun: float) -> tuple[int, int, int]:
    if height > 0.56:
        wave = 12 * math.sin(height * 220 + math.sin(x / 37) * 2)
        glow = max(0.0, 1 - sun * 1.2) * 90
        return int(28 + glow + wave), int(70 + glow * 0.6 + wave), int(104 + wave)
    if sun < 0.09:
        return 255, 236, 190
    glow = max(0.0, 1 - sun * 1.4)
    return (
        int(70 + 150 * height + 90 * glow * (1 - height)),
        int(96 + 60 * height + 60 * glow),
        int(150 - 60 * height),
    )


async def fill(nats_url: str, s3: Any) -> None:
    """Create the buckets with the key of a client of S3, and their objects."""
    raw = await nats.connect(nats_url)
    for bucket, sizes in SIZES.items():
        s3.create_bucket(Bucket=bucket)
        for name, size in sizes.items():
            await _write_metadata(raw, bucket, name, size)
    await raw.close()
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket="expeditions", VersioningConfiguration=enabled)
    for draft in (NOTES[:40], NOTES[:120], NOTES):
        s3.put_object(
            Bucket="expeditions", Key="notes.md", Body=draft.encode(), ContentType="text/markdown"
        )
    for name, kind, data in (
        ("salinity.csv", "text/csv", TABLE.encode()),
        ("sunset.png", "image/png", picture()),
    ):
        s3.put_object(
            Bucket="expeditions", Key=name, Body=data, ContentType=kind,
            Metadata={"camera": "deck", "crew": "north"}, Tagging="cruise=spring&public=yes",
        )  # fmt: skip
    s3.create_bucket(Bucket="inbox")


async def _write_metadata(raw: Client, bucket: str, name: str, size: int) -> None:
    body = {
        "name": name,
        "bucket": bucket,
        "nuid": f"{zlib.crc32(name.encode()):022}",
        "size": size,
        "chunks": -(-size // (128 * KIB)),
        "digest": digest_of(name.encode()),
    }
    subject = raw_stream.meta_subject(bucket, name)
    await raw.request(subject, json.dumps(body).encode(), timeout=5)
