"""The limit: the same frames on a plain blocking socket, by a bare loop, without a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks import buckets
from benchmarks.bare import Wire
from benchmarks.clients.serve import Job, Mismatch, Unable, measured, serve


def put(wire: Wire, job: Job) -> None:
    data = memoryview(job.data())
    chunks = (data[at : at + buckets.CHUNK] for at in range(0, job.size, buckets.CHUNK))
    with measured("put"):
        buckets.publish_chunks(wire, buckets.chunk_subject(job.bucket), chunks)


def drain(wire: Wire, job: Job) -> None:
    with measured(job.op):
        size = buckets.drain_chunks(wire, job.bucket, -(-job.size // buckets.CHUNK))
    if size != job.size:
        raise Mismatch(f"{size} bytes of {job.size}")


def put_file(wire: Wire, job: Job) -> None:
    def chunks() -> Iterator[memoryview]:
        view = memoryview(bytearray(buckets.CHUNK))
        with Path(job.path).open("rb", buffering=0) as file:
            while size := file.readinto(view):
                yield view[:size]

    with measured("put-file"):
        buckets.publish_chunks(wire, buckets.chunk_subject(job.bucket), chunks())


def get_file(wire: Wire, job: Job) -> None:
    with measured("get-file"), Path(job.path).open("wb", buffering=0) as file:
        buckets.drain_chunks(wire, job.bucket, -(-job.size // buckets.CHUNK), file.write)
    if Path(job.path).stat().st_size != job.size:
        raise Mismatch("the file has another size")


def small(wire: Wire, job: Job) -> None:
    """What a put of 1 KiB cannot do without: a chunk and its metadata, one after the other."""
    data, chunk = job.data(1024), buckets.chunk_subject(job.bucket)
    with measured("put-small") as more:
        for number in range(job.count):
            wire.publish(chunk, data)
            wire.answer()
            wire.publish(buckets.meta_subject(job.bucket, f"{number}"), data[:250], buckets.ROLLUP)
            wire.answer()
        more["count"] = job.count


def direct_get(wire: Wire, job: Job) -> None:
    meta = buckets.meta_subject(job.bucket, buckets.OBJECT)
    subject = f"$JS.API.DIRECT.GET.OBJ_{job.bucket}.".encode() + meta
    with measured("direct-get") as more:
        for _ in range(job.count):
            wire.publish(subject, b"")
            wire.skip(wire.message())
        more["count"] = job.count


def sha256(_: Wire, job: Job) -> None:
    data = memoryview(job.data())
    with measured("sha256"):
        digest = hashlib.sha256()
        for at in range(0, job.size, buckets.CHUNK):
            digest.update(data[at : at + buckets.CHUNK])
    if buckets.digest_field(digest.digest()) != job.digest:
        raise Mismatch("another digest")


_OPERATIONS = {
    "put": put,
    "get": drain,
    "stream": drain,
    "put-file": put_file,
    "get-file": get_file,
    "small": small,
    "direct-get": direct_get,
    "sha256": sha256,
}


def work(job: Job) -> None:
    if job.op not in _OPERATIONS:
        raise Unable
    with Wire(job.url) as wire:
        _OPERATIONS[job.op](wire, job)


if __name__ == "__main__":
    serve(work)
