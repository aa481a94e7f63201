"""What the handler of an operation gets: the request, the caller, and what it may use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from jetstow import JetStreamContext
from jetstow.s3.access import Access, check_allowed, check_bucket_access
from jetstow.s3.auth.authenticate import Identity
from jetstow.s3.auth.keys import Key, Keys
from jetstow.s3.body.payload import Payload
from jetstow.s3.buckets import Bucket, Buckets
from jetstow.s3.multipart.uploads import Uploads
from jetstow.s3.request import Request

Connect = Callable[[Path], Awaitable[JetStreamContext]]


@dataclass(slots=True)
class Services:
    """What the requests of a gateway share.

    `connect` opens a NATS connection with a credentials file, for the keys that name one.
    """

    keys: Keys
    default_buckets: Buckets
    connect: Connect | None = None
    public_acls: bool = False
    # Work that goes on if its client does not wait for it.
    running: set[asyncio.Task[str]] = field(default_factory=set)
    _uploads: dict[Buckets, Uploads] = field(default_factory=dict)
    _by_creds: dict[Path, Buckets] = field(default_factory=dict)
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def buckets_of(self, key: Key | None) -> Buckets:
        """Return the buckets as the NATS user of a key sees them."""
        if key is None or key.creds is None:
            return self.default_buckets
        async with self._connecting:
            if key.creds not in self._by_creds:
                assert self.connect is not None, "checked when the gateway was created"
                self._by_creds[key.creds] = Buckets(await self.connect(key.creds))
            return self._by_creds[key.creds]

    def uploads_of(self, buckets: Buckets) -> Uploads:
        """Return the multipart uploads as the NATS user of these buckets sees them."""
        if buckets not in self._uploads:
            self._uploads[buckets] = Uploads(buckets.js)
        return self._uploads[buckets]


@dataclass(slots=True)
class Call:
    """One request to an operation. `payload` is its body, and may be left unread."""

    services: Services
    request: Request
    identity: Identity
    buckets: Buckets
    payload: Payload
    opened_bucket: Bucket | None = None

    @property
    def bucket(self) -> Bucket:
        """The bucket of the request, which the caller may use for the operation."""
        assert self.opened_bucket is not None, "the route has no bucket"
        return self.opened_bucket

    @property
    def uploads(self) -> Uploads:
        """The multipart uploads."""
        return self.services.uploads_of(self.buckets)

    @property
    def key(self) -> str:
        """The key of the request."""
        return self.request.key

    async def open_bucket(self, name: str, access: Access) -> Bucket:
        """Return another bucket, such as that of a copy's source, if the caller may use it.

        Raises: `S3Error` (NoSuchBucket, AccessDenied).
        """
        check_allowed(self.identity, access)
        bucket = await self.buckets.open(name)
        check_bucket_access(self.identity, bucket, access)
        return bucket
