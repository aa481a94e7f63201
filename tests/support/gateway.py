"""An S3 gateway in a thread, with keys of three owners.

with RunningGateway(server.url) as gateway:
    gateway.client().list_buckets()
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import boto3
import uvloop
from botocore.config import Config

import jetstow
from jetstow.s3 import Gateway, Key, Keys
from jetstow.s3.outage import OUTAGE_LIMIT, watching
from jetstow.s3.server import DRAIN_TIMEOUT, Certificate, listen, serving

# Three owners, as suites for S3 need them, and keys with less than full access.
OWNER = Key("OWNERKEY", "owner-secret", "owner-id", "The Owner", admin=True)
OTHER = Key("OTHERKEY", "other-secret", "other-id", "The Other")
THIRD = Key("THIRDKEY", "third-secret", "third-id", "The Third")
READER = Key("READERKEY", "reader-secret", "owner-id", allow="read")
WRITER = Key("WRITERKEY", "writer-secret", "owner-id", allow="write")
LIMITED = Key("LIMITEDKEY", "limited-secret", "owner-id", buckets=("limited-*",))
KEYS = (OWNER, OTHER, THIRD, READER, WRITER, LIMITED)

REGION = "us-east-1"


class RunningGateway:
    """A gateway on loopback. `url` is its address, `host` and `port` are the parts of it.

    With a certificate, it serves https. `options` are those of `Gateway`.
    """

    def __init__(
        self,
        nats_url: str,
        *,
        certificate: Certificate | None = None,
        drain_timeout: float = DRAIN_TIMEOUT,
        outage_limit: float = OUTAGE_LIMIT,
        **options: Any,
    ) -> None:
        self.host, self.port = "127.0.0.1", 0
        self._certificate = certificate
        self.gateway: Gateway | None = None
        self._nats_url = nats_url
        self._options = options
        self._drain_timeout = drain_timeout
        self._outage_limit = outage_limit
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="s3-gateway")

    @property
    def url(self) -> str:
        return f"http{'s' if self._certificate else ''}://{self.host}:{self.port}"

    def client(self, key: Key | None = OWNER, **config: Any) -> Any:
        """Return a boto3 client with a key, or an anonymous one."""
        return new_client(self.url, key, **config)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised by the thread that uses the gateway
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with await jetstow.connect(self._nats_url) as client:
            options: dict[str, Any] = {"keys": Keys(KEYS), **self._options}
            self.gateway = Gateway(client.jetstream(), **options)
            listener = listen(self.host, 0)
            self.port = listener.getsockname()[1]
            async with (
                watching(client, self.gateway.availability, self._outage_limit),
                self._serving(self.gateway, listener),
            ):
                self._ready.set()
                await self._stop.wait()

    @asynccontextmanager
    async def _serving(self, gateway: Gateway, listener: socket.socket) -> AsyncIterator[None]:
        async with serving(
            gateway, listener, certificate=self._certificate, drain_timeout=self._drain_timeout
        ):
            yield


def new_client(
    url: str, key: Key | None = OWNER, *, verify: str | None = None, **config: Any
) -> Any:
    """Return a boto3 client, which makes two attempts at most: no test waits for retries.

    `verify` is the file of the authority of a gateway with https.
    """
    config = {
        "retries": {"total_max_attempts": 2},
        "s3": {"addressing_style": "path"},
        "signature_version": "s3v4",  # of presigned URLs; all else has it by default
        **config,
    }
    if key is None:
        from botocore import UNSIGNED

        config["signature_version"] = UNSIGNED
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=REGION,
        verify=verify,
        aws_access_key_id=key.access_key if key else None,
        aws_secret_access_key=key.secret_key if key else None,
        config=Config(**config),
    )


@contextmanager
def new_bucket(s3: Any, name: str) -> Iterator[None]:
    """Create a bucket, and delete it at the end with all versions of its objects."""
    s3.create_bucket(Bucket=name)
    yield
    with suppress(s3.exceptions.NoSuchBucket):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                s3.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
        s3.delete_bucket(Bucket=name)
