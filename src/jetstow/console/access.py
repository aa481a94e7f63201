"""Who uses the console, and what they may do: the session, and the checks of the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from starlette.requests import Request

from jetstow import JetStreamContext
from jetstow.console.context import context_of
from jetstow.console.errors import ConsoleError
from jetstow.console.security import check_csrf, check_origin
from jetstow.console.sessions import COOKIE, Token, find_token
from jetstow.s3 import request as s3_request
from jetstow.s3 import routes
from jetstow.s3.access import check_bucket_access, check_key_access, owns_bucket
from jetstow.s3.app import Gateway
from jetstow.s3.auth.authenticate import Identity
from jetstow.s3.auth.keys import Key
from jetstow.s3.body.payload import Payload
from jetstow.s3.body.raw import RawBody
from jetstow.s3.buckets import Bucket, Buckets
from jetstow.s3.call import Call, Services, new_caller
from jetstow.s3.errors import S3Error

_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
# The headers of a request that policies of buckets compare.
_POLICY_HEADERS: Final = ("referer", "user-agent")
_ACCESS: Final = {route.operation: route.access for route in routes.ROUTES}


@dataclass(frozen=True, slots=True)
class Session:
    """Who has signed in. `buckets` are those that the NATS user of the key sees."""

    token: Token
    gateway: Gateway
    buckets: Buckets

    @property
    def services(self) -> Services:
        """What the requests of the gateway share."""
        return self.gateway.services

    @property
    def key(self) -> Key:
        """The access key."""
        return self.token.key

    @property
    def identity(self) -> Identity:
        """The caller, for the checks of the gateway."""
        return Identity(self.key)

    @property
    def js(self) -> JetStreamContext:
        """The JetStream context of the NATS user of the key."""
        return self.buckets.js

    @property
    def may_read(self) -> bool:
        """Whether the key allows to read."""
        return self.key.allow != "write"

    def check(self) -> None:
        """Check that the session still is valid: long responses do so now and then.

        Raises: `ConsoleError` (SignInRequired: it has expired, or its key was changed or revoked).
        """
        current = self.services.keys.find(self.key.access_key)
        if current != self.key or self.token.expires <= self.gateway.clock().timestamp():
            raise ConsoleError("SignInRequired")


async def authenticate(request: Request) -> Session:
    """Return the session of a request, and check where the request comes from.

    Raises: `ConsoleError` (SignInRequired, CrossOriginRequest, InvalidCsrfToken).
    """
    check_origin(request.headers)
    gateway = context_of(request).gateway
    keys, now = gateway.services.keys, gateway.clock().timestamp()
    token = find_token(keys, request.cookies.get(COOKIE, ""), now)
    if token is None:
        raise ConsoleError("SignInRequired")
    if request.method not in _SAFE_METHODS:
        check_csrf(request.headers, token.csrf)
    return Session(token, gateway, await gateway.services.buckets_of(token.key))


def signed_in(request: Request) -> Session:
    """Return the session of a request to the API. The console has checked it."""
    return cast("Session", request.scope["jetstow.session"])


def check_admin(request: Request) -> Session:
    """Return the session of an administrator. Raises: `ConsoleError` (NotAnAdmin)."""
    session = signed_in(request)
    if not session.key.admin:
        raise ConsoleError("NotAnAdmin")
    return session


def request_id(request: Request) -> str:
    """Return the id of a request, which the log has, too."""
    return cast("str", request.scope["jetstow.request_id"])


def s3_request_of(
    request: Request,
    bucket: str,
    key: str = "",
    version: str | None = None,
    query: Mapping[str, str] | None = None,
) -> s3_request.Request:
    """Return a request to the API as a request of S3 for a bucket, or for a key in it.

    `query` has parameters that policies compare: the prefix and the delimiter of a list.

    Raises: `S3Error` (KeyTooLongError, InvalidArgument).
    """
    s3_request.check_key(key)
    headers = {
        name: value for name in _POLICY_HEADERS if (value := request.headers.get(name)) is not None
    }
    parameters = dict(query or {})
    if version is not None:
        parameters["versionId"] = version
    return s3_request.Request(
        id=request_id(request),
        method=request.method,
        scheme=request.scope["scheme"],
        client=request.client.host if request.client else "",
        raw_path=b"/",
        bucket=bucket,
        key=key,
        raw_headers=(),
        headers=headers,
        query=parameters,
        query_pairs=(),
    )


async def open_bucket(
    request: Request,
    name: str,
    operation: str,
    *,
    key: str = "",
    version: str | None = None,
    query: Mapping[str, str] | None = None,
) -> Bucket:
    """Return a bucket, in which the caller may do an operation of S3, with a key if given.

    Operations that read an object (GetObject, HeadObject, GetObjectAttributes) need a check of the
    object, too: see `object_call`.

    Raises: `S3Error` (NoSuchBucket, AccessDenied).
    """
    session = signed_in(request)
    access = _ACCESS[operation]
    s3_req = s3_request_of(request, name, key, version, query)
    check_key_access(s3_req, session.identity, access)
    bucket = await session.buckets.open(name)
    caller = new_caller(session.services, s3_req, session.identity)
    check_bucket_access(caller, bucket, operation, access, key, version)
    return bucket


async def open_owned_bucket(request: Request, name: str) -> Bucket:
    """Return a bucket of the caller, whose key has full access: to change or delete the bucket.

    Raises: `S3Error` (NoSuchBucket, AccessDenied).
    """
    if signed_in(request).key.allow != "full":
        raise S3Error("AccessDenied", "The change needs a key with full access.")
    # A policy may allow this operation to others, which does not make them owners.
    bucket = await open_bucket(request, name, "PutBucketVersioning")
    check_owner(request, bucket)
    return bucket


def check_owner(request: Request, bucket: Bucket) -> None:
    """Check that a bucket is the caller's, whatever its policy allows.

    Raises: `S3Error` (AccessDenied).
    """
    if not owns_bucket(signed_in(request).identity, bucket):
        raise S3Error("AccessDenied")


async def open_call(
    request: Request,
    name: str,
    operation: str,
    *,
    key: str = "",
    version: str | None = None,
    query: Mapping[str, str] | None = None,
) -> Call:
    """Open a bucket as `open_bucket` does, and return the call of the operation on it.

    Raises: `S3Error` (NoSuchBucket, AccessDenied).
    """
    bucket = await open_bucket(request, name, operation, key=key, version=version, query=query)
    return object_call(request, bucket, operation, key, version, query)


def may(call: Call, operation: str) -> bool:
    """Return whether the caller may do an operation with the key and the version of a call."""
    try:
        call.check(operation, call.key, call.version)
    except S3Error:
        return False
    return True


def object_call(
    request: Request,
    bucket: Bucket,
    operation: str,
    key: str,
    version: str | None = None,
    query: Mapping[str, str] | None = None,
) -> Call:
    """Return the call of an operation of S3 on an object, as handlers of the gateway have it.

    `open_object`, `check_object` and `check_missing_object` of it do what the gateway does.
    """
    session = signed_in(request)
    s3_req = s3_request_of(request, bucket.name, key, version, query)
    payload = Payload(s3_req, session.identity, RawBody(s3_req.headers, request.receive))
    now = session.gateway.clock()
    return Call(
        session.services, operation, s3_req, session.identity, session.buckets, payload, now, bucket
    )
