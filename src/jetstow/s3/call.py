"""What the handler of an operation gets: the request, the caller, and what it may use."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from jetstow import ObjectReader
from jetstow.errors import ObjectEncryptedError, TamperedError
from jetstow.models import ObjectInfo
from jetstow.s3.access import (
    Access,
    Caller,
    check_allowed,
    check_bucket_access,
    may_list_bucket,
    may_use_object,
)
from jetstow.s3.acl import Permission
from jetstow.s3.auth.authenticate import Identity
from jetstow.s3.auth.keys import Key, Keys
from jetstow.s3.body.payload import Payload
from jetstow.s3.buckets import Bucket, Buckets
from jetstow.s3.connections import Connections
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.uploads import Uploads
from jetstow.s3.policy.actions import actions_of
from jetstow.s3.policy.conditions import Facts
from jetstow.s3.policy.decision import Decision
from jetstow.s3.request import Request
from jetstow.s3.versions import as_s3_errors, check_version


@dataclass(slots=True)
class Services:
    """What the requests of a gateway share. `connections` are those of keys with `creds`."""

    keys: Keys
    default_buckets: Buckets
    connections: Connections
    public_acls: bool = False
    # Work that goes on if its client does not wait for it.
    running: set[asyncio.Task[str]] = field(default_factory=set)
    _uploads: dict[Buckets, Uploads] = field(default_factory=dict)

    async def buckets_of(self, key: Key | None) -> Buckets:
        """Return the buckets as the NATS user of a key sees them.

        Raises: what `Connections.buckets` raises.
        """
        if key is None or key.creds is None:
            return self.default_buckets
        return await self.connections.buckets(key.creds)

    def uploads_of(self, buckets: Buckets) -> Uploads:
        """Return the multipart uploads as the NATS user of these buckets sees them."""
        if buckets not in self._uploads:
            # No request uses those of closed connections: `buckets_of` opens new ones.
            self._uploads = {k: v for k, v in self._uploads.items() if not k.is_closed}
            self._uploads[buckets] = Uploads(buckets)
        return self._uploads[buckets]


@dataclass(slots=True)
class Call:
    """One request to an operation `operation`. `payload` is its body, and may be left unread.

    Handlers change it as they learn more: PostObject sets `identity`, `buckets` and `opened_bucket`
    from the form, CompleteMultipartUpload sets `opened_bucket` with the customer's key, and
    `check_object` sets `object_is_checked`.
    """

    services: Services
    operation: str
    request: Request
    identity: Identity
    buckets: Buckets
    payload: Payload
    now: datetime.datetime
    opened_bucket: Bucket | None = None
    object_is_checked: bool = False

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

    @property
    def owner(self) -> str:
        """The caller, or the owner of the bucket if the caller is anonymous."""
        return self.identity.owner or self.bucket.owner or ""

    async def open_bucket(self, name: str) -> Bucket:
        """Return another bucket, to read an object in it: check the object with `check_object`.

        Raises: `S3Error` (NoSuchBucket, AccessDenied: the key does not allow to read).
        """
        check_allowed(self.identity, Access.READ)
        return await self.buckets.open(name)

    def of_key(self, key: str) -> Call:
        """Return the same call for another key, without the parameters of the query."""
        return replace(self, request=replace(self.request, key=key, query={}))

    async def check_background(self, feature: str) -> None:
        """Check that the gateway's own connection sees the bucket: work of the gateway needs it.

        Raises: `S3Error` (NotImplemented: the key's NATS user is of another account).
        """
        own = self.services.default_buckets
        if self.buckets is own:
            return
        bucket = self.bucket
        try:
            is_same = (await own.open(bucket.name)).status.created == bucket.status.created
        except S3Error:
            is_same = False
        if not is_same:
            message = f"The gateway has {feature} for the buckets of its own NATS account only."
            raise S3Error("NotImplemented", message)

    @property
    def version(self) -> str | None:
        """The version of the object that the request selects; None for the current one.

        Raises: `S3Error` (InvalidArgument, NoSuchVersion).
        """
        return check_version(self.bucket, self.request.query.get("versionId"))

    async def open_object(
        self, bucket: Bucket, key: str, version: str | None = None, *, prefetch: bool = False
    ) -> ObjectReader:
        """Open an object of a bucket, with the customer's key if the request has one.

        `prefetch` is that of `ObjectStore.open`.

        Raises: `S3Error` (InvalidRequest: it is not encrypted, and the request has a key;
        AccessDenied: it is a link to another bucket, whose object the caller may not read), what
        `open` and `as_s3_errors` raise.
        """
        try:
            async with as_s3_errors(bucket, key, version):
                reader = await bucket.data_store.open(key, version=version, prefetch=prefetch)
        except (ObjectEncryptedError, TamperedError) as error:
            info = await bucket.store.get_info(key, version=version)
            # Who may not read the object does not learn how it is stored.
            self.check_object(
                bucket, info, Permission.READ, key=key, operation="GetObject", version=version
            )
            if isinstance(error, ObjectEncryptedError) or info.encrypted:
                raise
            message = "The encryption parameters are not applicable to this object."
            raise S3Error("InvalidRequest", message) from None
        try:
            if (reader.info.bucket, reader.info.name) != (bucket.store.bucket, key):
                await self._check_linked(bucket, reader.info)
        except BaseException:
            await reader.close()
            raise
        return reader

    async def _check_linked(self, bucket: Bucket, info: ObjectInfo) -> None:
        """Check the caller's permission for the object that a link leads to.

        In another bucket, the caller must be allowed to read it there. In the same one, its policy
        must not deny it.

        Raises: `S3Error` (AccessDenied).
        """
        actions = actions_of("GetObject", {})
        if info.bucket == bucket.store.bucket:
            if self.caller.decision(bucket, actions, info.name) is Decision.DENIED:
                raise S3Error("AccessDenied")
            return
        try:
            linked = await self.buckets.open_stream(info.bucket)
        except S3Error:
            raise S3Error("AccessDenied") from None
        read = Permission.READ
        if not may_use_object(self.caller, linked, info.name, info, read, actions):
            raise S3Error("AccessDenied")

    @property
    def caller(self) -> Caller:
        """Who sends the request."""
        return new_caller(self.services, self.request, self.identity)

    def check(self, operation: str, key: str, version: str | None = None) -> None:
        """Check whether the caller may do an operation with a key of the bucket, or a version.

        Raises: `S3Error` (AccessDenied).
        """
        check_bucket_access(self.caller, self.bucket, operation, Access.WRITE, key, version)

    def check_object(
        self,
        bucket: Bucket,
        info: ObjectInfo,
        permission: Permission,
        *,
        key: str | None = None,
        operation: str | None = None,
        version: str | None = None,
    ) -> None:
        """Check the caller's permission for an object.

        `key`, `operation` and `version` are those of the request by default.

        Raises: `S3Error` (AccessDenied).
        """
        key = self.key if key is None else key
        selects = version is not None or "versionId" in self.request.query
        actions = actions_of(operation or self.operation, {}, selects_version=selects)
        if not may_use_object(self.caller, bucket, key, info, permission, actions):
            raise S3Error("AccessDenied")
        self.object_is_checked = True

    def check_missing_object(self, bucket: Bucket) -> None:
        """Check whether the caller may learn that there is no object.

        Raises: `S3Error` (AccessDenied: the caller may not list the bucket).
        """
        if not may_list_bucket(self.caller, bucket):
            raise S3Error("AccessDenied")

    @property
    def may_list(self) -> bool:
        """Whether the caller may see which objects are in the bucket."""
        return may_list_bucket(self.caller, self.bucket)


def new_caller(
    services: Services,
    request: Request,
    identity: Identity,
    headers: Mapping[str, str] | None = None,
) -> Caller:
    """Return who sends a request. `headers` are the fields of a form, instead of headers."""
    facts = Facts(request, request.headers if headers is None else headers)
    return Caller(identity, facts, services.public_acls)
