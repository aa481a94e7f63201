"""Buckets and objects for pictures of the console."""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any

from tests.support.samples import some_bytes

KIB, MIB = 1024, 1024**2

# Objects of random bytes.
SIZES = {
    "expeditions": {
        "2025 autumn/log.txt": 18 * KIB,
        "2026 spring/log.txt": 22 * KIB,
        "2026 spring/sonar/line-01.bag": 3 * MIB,
        "calibration/camera.json": 4 * KIB,
        "camera-trap.mp4": 9 * MIB + 300 * KIB,
        "depth-model.onnx": 7 * MIB + 800 * KIB,
        "field-recording.flac": 5 * MIB + 100 * KIB,
        "permits.pdf": 880 * KIB,
        "sediment-cores.parquet": 2 * MIB,
    },
    "models": {
        "classifier/v1/model.onnx": 4 * MIB + 200 * KIB,
        "classifier/v2/model.onnx": 5 * MIB,
        "embeddings.parquet": 8 * MIB,
    },
    "nightly-backups": {f"2026-11-{day:02}.tar": 2 * MIB + day * 31 * KIB for day in range(13, 27)},
}
# Objects of `expeditions` that are deleted.
DELETED = {
    "2025 autumn/draft.txt": 3 * KIB,
    "2026 spring/sonar/line-00.bag": 2 * MIB,
    "old-permits.pdf": 640 * KIB,
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


def fill(s3: Any) -> None:
    """Create the buckets with a client of S3, and their objects."""
    for bucket, sizes in SIZES.items():
        s3.create_bucket(Bucket=bucket)
        for name, size in sizes.items():
            s3.put_object(Bucket=bucket, Key=name, Body=some_bytes(size))
    s3.create_bucket(Bucket="inbox")
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket="expeditions", VersioningConfiguration=enabled)
    for draft in (NOTES[:40], NOTES[:120], NOTES):
        s3.put_object(
            Bucket="expeditions", Key="notes.md", Body=draft.encode(), ContentType="text/markdown"
        )
    for name, size in DELETED.items():
        s3.put_object(Bucket="expeditions", Key=name, Body=some_bytes(size))
        s3.delete_object(Bucket="expeditions", Key=name)
    for name, kind, data in (
        ("salinity.csv", "text/csv", TABLE.encode()),
        ("sunset.png", "image/png", picture()),
    ):
        s3.put_object(
            Bucket="expeditions", Key=name, Body=data, ContentType=kind,
            Metadata={"camera": "deck", "crew": "north"}, Tagging="cruise=spring&public=yes",
        )  # fmt: skip
