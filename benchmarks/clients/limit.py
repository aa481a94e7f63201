"""The limit: the same frames on a plain blocking socket, without a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks import buckets
from benchmarks.clients.serve import Job, UnsupportedError, WrongDataError, measured, serve
from benchmarks.socket_client import SocketClient


def put(nc: SocketClient, job: Job) -> None:
    data = memoryview(job.data())
    chunks = (data[at : at + buckets.CHUNK] for at in range(0, job.size, buckets.CHUNK))
    with measured("put"):
        buckets.publish_chunks(nc, buckets.chunk_subject(job.bucket), chunks)


def drain(nc: SocketClient, job: Job) -> None:
    with measured(job.op):
        size = buckets.drain_chunks(nc, job.bucket, -(-job.size // buckets.CHUNK))
    if size != job.size:
        raise WrongDataError(f"{size} bytes of {job.size}")


def get(nc: SocketClient, job: Job) -> None:
    """Read an object and discard it; then read it again, keep it and compute its digest."""
    drain(nc, job)
    if not job.flags.get("more"):
        return
    count, digest, end = -(-job.size // buckets.CHUNK), hashlib.sha256(), 0

    def keep(piece: memoryview) -> None:
        nonlocal end
        view[end : end + len(piece)] = piece
        digest.update(piece)
        end += len(piece)

    with measured("get-kept"):
        data = bytearray(job.size)
        view = memoryview(data)
        buckets.drain_chunks(nc, job.bucket, count, keep)
    if buckets.digest_field(digest.digest()) != job.digest:
        raise WrongDataError("the digest is wrong")


def put_file(nc: SocketClient, job: Job) -> None:
    def chunks() -> Iterator[memoryview]:
        view = memoryview(bytearray(buckets.CHUNK))
        with Path(job.path).open("rb", buffering=0) as file:
            while size := file.readinto(view):
                yield view[:size]

    with measured("put-file"):
        buckets.publish_chunks(nc, buckets.chunk_subject(job.bucket), chunks())


def get_file(nc: SocketClient, job: Job) -> None:
    with measured("get-file"), Path(job.path).open("wb", buffering=0) as file:
        buckets.drain_chunks(nc, job.bucket, -(-job.size // buckets.CHUNK), file.write)
    if Path(job.path).stat().st_size != job.size:
        raise WrongDataError("the size of the file is wrong")


def small(nc: SocketClient, job: Job) -> None:
    """Write the minimum of a put of 1 KiB: a chunk and then its metadata."""
    data, chunk = job.data(1024), buckets.chunk_subject(job.bucket)
    with measured("put-small") as more:
        for number in range(job.count):
            nc.publish(chunk, data)
            nc.reply()
            nc.publish(buckets.meta_subject(job.bucket, f"{number}"), data[:250], buckets.ROLLUP)
            nc.reply()
        more["count"] = job.count


def direct_get(nc: SocketClient, job: Job) -> None:
    meta = buckets.meta_subject(job.bucket, buckets.OBJECT)
    subject = f"$JS.API.DIRECT.GET.OBJ_{job.bucket}.".encode() + meta
    with measured("direct-get") as more:
        for _ in range(job.count):
            nc.publish(subject, b"")
            nc.skip(nc.message())
        more["count"] = job.count


def sha256(_: SocketClient, job: Job) -> None:
    data = memoryview(job.data())
    with measured("sha256"):
        digest = hashlib.sha256()
        for at in range(0, job.size, buckets.CHUNK):
            digest.update(data[at : at + buckets.CHUNK])
    if buckets.digest_field(digest.digest()) != job.digest:
        raise WrongDataError("the digest is wrong")


_OPERATIONS = {
    "put": put,
    "get": get,
    "stream": drain,
    "put-file": put_file,
    "get-file": get_file,
    "small": small,
    "direct-get": direct_get,
    "sha256": sha256,
}


def work(job: Job) -> None:
    if job.op not in _OPERATIONS:
        raise UnsupportedError
    with SocketClient(job.url) as nc:
        _OPERATIONS[job.op](nc, job)


if __name__ == "__main__":
    serve(work)
