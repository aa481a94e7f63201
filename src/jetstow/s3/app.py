"""The gateway as an ASGI application: each request from its parsing to its response."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from jetstow import JetStreamContext
from jetstow.errors import JetstowError, PermissionDeniedError
from jetstow.http.asgi import Receive, Scope, Send
from jetstow.s3 import routes
from jetstow.s3.access import (
    OBJECT_PERMISSIONS,
    check_bucket_access,
    check_expected_owner,
    check_key_access,
)
from jetstow.s3.auth.authenticate import Identity, authenticate, with_query_headers
from jetstow.s3.auth.key_reload import KeyReload
from jetstow.s3.auth.keys import Keys
from jetstow.s3.body.payload import Payload
from jetstow.s3.body.raw import RawBody
from jetstow.s3.buckets import OBJECT_STATUS_AGE, Buckets
from jetstow.s3.call import Call, Services, new_caller
from jetstow.s3.connections import Connect, Connections
from jetstow.s3.cors import ORIGIN, cors_headers
from jetstow.s3.customer_key import request_key
from jetstow.s3.errors import MISSING, ClientGoneError, S3Error, to_s3_error, unexpected
from jetstow.s3.not_implemented import refuse_not_implemented
from jetstow.s3.observe import CLIENT_GONE, AccessLog, Metrics, Record
from jetstow.s3.outage import Availability
from jetstow.s3.request import Request, bucket_of_host, new_request_id, parse_request
from jetstow.s3.responder import Responder
from jetstow.s3.result import Result
from jetstow.s3.route import Handler
from jetstow.s3.website.serving import error_page, serve_website

_log = logging.getLogger("jetstow.s3")

_LISTS: Final = frozenset({"ListObjects", "ListObjectsV2", "ListObjectVersions"})


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A request in progress and its response. `identity` is the caller that `serve_as` has."""

    scope: Scope
    receive: Receive
    responder: Responder
    record: Record
    identity: Identity | None


class Gateway:
    """An ASGI application that serves the buckets of a JetStream context over S3's API.

    `base_domains` are the domains whose subdomains are buckets, and `website_domains` those whose
    subdomains are their websites. `connect` opens a connection with a credentials file; the keys
    that name one need it. New buckets have `replicas`. `clock` returns the current time.
    """

    def __init__(
        self,
        js: JetStreamContext,
        keys: Keys,
        *,
        base_domains: Sequence[str] = (),
        website_domains: Sequence[str] = (),
        connect: Connect | None = None,
        public_acls: bool = False,
        replicas: int = 1,
        access_log: AccessLog | None = None,
        metrics: Metrics | None = None,
        clock: Callable[[], datetime.datetime] = _utc_now,
    ) -> None:
        if connect is None and any(key.creds is not None for key in keys):
            raise ValueError("a key has creds, so the gateway needs connect=")
        connections = Connections(connect, replicas)
        self.services = Services(keys, Buckets(js, replicas), connections, public_acls)
        self.key_reload = KeyReload(keys, has_connect=connect is not None)
        self.metrics = metrics or Metrics()
        self.availability = Availability()
        self._base_domains = tuple(base_domains)
        self._website_domains = tuple(website_domains)
        self.access_log = access_log or AccessLog()
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send, None)

    async def serve_as(
        self, scope: Scope, receive: Receive, send: Send, identity: Identity
    ) -> None:
        """Serve a request of a caller whom another application has authenticated.

        The first part of the path is the bucket, for each host name. CORS does not apply.
        """
        await self._serve(scope, receive, send, identity)

    def is_bucket_host(self, host: str) -> bool:
        """Return whether a host name is that of a bucket or of its website."""
        domains = (*self._base_domains, *self._website_domains)
        return bool(bucket_of_host(host, domains))

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, identity: Identity | None
    ) -> None:
        self.key_reload.check()
        path = (scope.get("raw_path") or b"/").decode("latin-1")
        record = Record(new_request_id(), scope["method"], path)
        responder = Responder(scope["method"], record.request_id, receive, send)
        self.metrics.begin()
        self.availability.begin()
        try:
            await self._respond(_Exchange(scope, receive, responder, record, identity))
        finally:
            self.availability.end()
            record.status = record.status or responder.status or CLIENT_GONE
            record.sent = responder.sent
            if responder.body is not None:
                record.received = responder.body.received
            self.metrics.end(record)
            self.access_log.write(record)

    async def _respond(self, exchange: _Exchange) -> None:
        responder, record = exchange.responder, exchange.record
        try:
            try:
                result = await self._execute(exchange)
                await responder.send_result(result)
            except asyncio.CancelledError:
                if not self.availability.has_ended_request():
                    raise
                raise S3Error("ServiceUnavailable") from None
        except ClientGoneError:
            record.status = CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - every error becomes a response
            s3_error = to_s3_error(error)
            record.error = s3_error.code
            if s3_error.status >= 500 or responder.started:
                _log_failure(record, error)
            elif isinstance(error, PermissionDeniedError):
                # The response does not name subjects of NATS. The operator needs them.
                _log.warning("%s %s %s", record.request_id, record.operation, error)
            if not responder.started:
                await responder.send_error(s3_error, record.path)
            # If it has begun, it stays incomplete: the server closes the connection, and the client
            # does not take what it has received for all.

    async def _execute(self, exchange: _Exchange) -> Result:
        """Parse a request, authenticate its caller unless that is known, and run it."""
        identity, record, responder = exchange.identity, exchange.record, exchange.responder
        domains = ((), ()) if identity else (self._base_domains, self._website_domains)
        request = parse_request(exchange.scope, record.request_id, *domains)
        record.client = request.client
        responder.body = body = RawBody(request.headers, exchange.receive)
        if not self.availability.is_available:
            raise S3Error("ServiceUnavailable")
        if identity is not None:
            return await self._execute_as(identity, request, body, record)
        if ORIGIN in request.headers and request.method != "OPTIONS":
            # Before any check: browsers hide errors without these headers from programs.
            responder.cors_headers = await self._cors_headers(request)
        if request.is_website:
            return await self._execute_website(request, body, record)
        identity = self._authenticate(request)
        if identity.presigned:
            request = with_query_headers(request)
        return await self._execute_as(identity, request, body, record)

    async def _execute_as(
        self, identity: Identity, request: Request, body: RawBody, record: Record
    ) -> Result:
        """Check a request and run its operation. Nothing reads the body before the checks."""
        if identity.key is not None:
            record.access_key = identity.key.access_key
        refuse_not_implemented(request.headers)
        route = routes.find_route(request)
        record.operation = route.operation
        check_key_access(request, identity, route.access)
        buckets = await self.services.buckets_of(identity.key)
        bucket = None
        if route.opens_bucket:
            # Requests for the bucket itself see what other gateways have changed, at once. A list
            # asks the leader for the names in any case.
            is_of_objects = request.key or route.operation in _LISTS
            max_age = OBJECT_STATUS_AGE if is_of_objects else 0.0
            bucket = await buckets.open(request.bucket, max_age=max_age)
            caller = new_caller(self.services, request, identity)
            check_bucket_access(caller, bucket, route.operation, route.access, request.key)
            check_expected_owner(request, identity, bucket)
            key = request_key(request, route.operation, request.headers)
            bucket = bucket.with_key(key)
        payload = Payload(request, identity, body)
        call = Call(
            self.services,
            route.operation,
            request,
            identity,
            buckets,
            payload,
            self.clock(),
            bucket,
        )
        try:
            if route.operation in OBJECT_PERMISSIONS:
                return await _run_on_object(route.handler, call)
            return await route.handler(call)
        finally:
            if call.identity.key is not None:  # a form names it in its fields
                record.access_key = call.identity.key.access_key

    async def _execute_website(self, request: Request, body: RawBody, record: Record) -> Result:
        """Return a page of a website, or an error as a page."""
        record.operation = "GetWebsitePage"
        try:
            buckets, identity = self.services.default_buckets, Identity(None)
            bucket = await buckets.open(request.bucket, max_age=OBJECT_STATUS_AGE)
            payload = Payload(request, identity, body)
            return await serve_website(
                Call(
                    self.services, "GetObject", request, identity, buckets, payload,
                    self.clock(), bucket,
                )
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - every error becomes a page
            s3_error = to_s3_error(error)
            record.error = s3_error.code
            if s3_error.status >= 500:
                _log_failure(record, error)
            return error_page(s3_error, request.id)

    def _authenticate(self, request: Request) -> Identity:
        """Return the caller. Browsers send a preflight unsigned, also for a presigned URL."""
        if request.method == "OPTIONS":
            return Identity(None)
        return authenticate(request, self.services.keys, self.clock())

    async def _cors_headers(self, request: Request) -> dict[str, str]:
        """Return the headers of CORS for the response to a request with an Origin."""
        if not request.bucket:
            return {}
        try:
            buckets = self.services.default_buckets
            bucket = await buckets.open(request.bucket, max_age=OBJECT_STATUS_AGE)
        except (S3Error, JetstowError):
            return {}  # the operation reports it
        return cors_headers(bucket, request.method, request.headers)


def _log_failure(record: Record, error: Exception) -> None:
    trace = unexpected(error)
    _log.error("%s %s %s", record.request_id, record.operation, error, exc_info=trace)


async def _run_on_object(handler: Handler, call: Call) -> Result:
    """Run an operation that checks the caller's permission when it has opened the object."""
    try:
        result = await handler(call)
    except Exception as error:
        if to_s3_error(error).code in MISSING:
            call.check_missing_object(call.bucket)
        raise
    if not call.object_is_checked:
        raise RuntimeError("the operation has not checked the permission for the object")
    return result
