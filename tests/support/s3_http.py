"""Requests to the gateway byte by byte, signed by botocore: what no S3 client lets a test send."""

from __future__ import annotations

import hashlib
import http.client
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from xml.etree import ElementTree as ET

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from jetstow.s3 import Key
from tests.support.gateway import OWNER, REGION


class Address(Protocol):
    """A running gateway."""

    @property
    def url(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


@dataclass(frozen=True)
class Response:
    """A response, with lower-case names of headers. `code` and `field` read an error's XML."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return self.field("Code")

    def field(self, name: str) -> str:
        return ET.fromstring(self.body).findtext(name) or ""


class _Auth(S3SigV4Auth):
    """botocore's signature with the payload hash that the request has in its headers."""

    def payload(self, request: AWSRequest) -> str:
        return str(request.headers["X-Amz-Content-SHA256"])

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        declared = request.headers["X-Amz-Content-SHA256"]
        super()._modify_request_before_signing(request)
        del request.headers["X-Amz-Content-SHA256"]
        request.headers["X-Amz-Content-SHA256"] = declared


def signed_headers(
    gateway: Address,
    method: str,
    target: str,
    *,
    key: Key = OWNER,
    headers: Mapping[str, str] | None = None,
    payload_hash: str = "UNSIGNED-PAYLOAD",
) -> dict[str, str]:
    """Return the headers of a request, with its signature."""
    request = AWSRequest(method, gateway.url + target, headers=dict(headers or {}))
    request.headers["X-Amz-Content-SHA256"] = payload_hash
    credentials = Credentials(key.access_key, key.secret_key)
    _Auth(credentials, "s3", REGION).add_auth(request)
    return dict(request.headers.items())


def presigned_target(
    gateway: Address, method: str, target: str, *, key: Key = OWNER, expires: int = 60
) -> str:
    """Return the path and query of a presigned URL."""
    request = AWSRequest(method, gateway.url + target)
    credentials = Credentials(key.access_key, key.secret_key)
    S3SigV4QueryAuth(credentials, "s3", REGION, expires=expires).add_auth(request)
    return str(request.url).removeprefix(gateway.url)


def send(
    gateway: Address,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterator[bytes] = b"",
) -> Response:
    """Send a request as it is, on a connection of its own."""
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=20)
    try:
        chunked = not isinstance(body, bytes)
        connection.request(
            method, target, body or None, dict(headers or {}), encode_chunked=chunked
        )
        response = connection.getresponse()
        return Response(
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            response.read(),
        )
    finally:
        connection.close()


def send_signed(
    gateway: Address,
    method: str,
    target: str,
    *,
    key: Key = OWNER,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    payload_hash: str | None = None,
) -> Response:
    """Sign and send a request. The payload hash is that of the body by default."""
    hashed = payload_hash or hashlib.sha256(body).hexdigest()
    signed = signed_headers(gateway, method, target, key=key, headers=headers, payload_hash=hashed)
    return send(gateway, method, target, headers=signed, body=body)


def connect(gateway: Address) -> socket.socket:
    """Return a connection to write a request to, byte by byte."""
    return socket.create_connection((gateway.host, gateway.port), timeout=20)


def request_head(method: str, target: str, headers: Mapping[str, Any]) -> bytes:
    """Return the head of a request."""
    lines = [
        f"{method} {target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
