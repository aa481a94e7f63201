"""A parsed HTTP request: its bucket and key, query and headers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from jetstow._core.protocol.versions import VERSIONS_PREFIX
from jetstow.s3.errors import S3Error

# S3's limits: of a key in bytes of UTF-8, and of the user metadata. More headers than these are
# refused by the server (`protocol`).
MAX_KEY_SIZE: Final = 1024

_SPACES: Final = re.compile(" +")


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `bucket` and `key` are empty if it concerns the service, or a bucket.

    `host_has_bucket`: the bucket is in the host name, and not in the path. `is_website`: the host
    name is that of a website, and the key is the path of a page.

    `headers` have lower-case names; values of a repeated header are joined by commas. `query` has
    the first value of each parameter, `query_pairs` all of them in the order that they were sent.
    """

    id: str
    method: str
    scheme: str
    client: str
    raw_path: bytes
    bucket: str
    key: str
    raw_headers: tuple[tuple[bytes, bytes], ...]
    headers: Mapping[str, str]
    query: Mapping[str, str]
    query_pairs: tuple[tuple[bytes, bytes], ...]
    host_has_bucket: bool = False
    is_website: bool = False

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None."""
        return self.headers.get(name)

    @property
    def resource(self) -> str:
        """The path of the bucket and the key, for errors and the log."""
        if not self.bucket:
            return "/"
        return f"/{self.bucket}/{self.key}" if self.key else f"/{self.bucket}"

    def url_of(self, key: str) -> str:
        """Return the URL of an object of the bucket, with the host name of the request."""
        path = f"/{key}" if self.host_has_bucket else f"/{self.bucket}/{key}"
        return f"{self.scheme}://{self.header('host') or ''}{quote(path)}"


def new_request_id() -> str:
    """Return a request id in S3's form: 16 hexadecimal digits."""
    return secrets.token_hex(8).upper()


def parse_request(
    scope: Mapping[str, Any],
    request_id: str,
    base_domains: Iterable[str],
    website_domains: Iterable[str] = (),
) -> Request:
    """Parse the scope of an ASGI request.

    `base_domains` and `website_domains` have the subdomains that are buckets.

    Raises: `S3Error` (InvalidURI: the path or the query is not UTF-8; what `check_key` raises).
    """
    raw_headers = tuple(scope["headers"])
    headers = parse_headers(raw_headers)
    pairs = parse_query(scope["query_string"])
    raw_path: bytes = scope.get("raw_path") or b"/"
    host = headers.get("host", "")
    website = bucket_of_host(host, website_domains)
    host_bucket = website or bucket_of_host(host, base_domains)
    bucket, key = _parse_resource(raw_path, host_bucket)
    query: dict[str, str] = {}
    for name, value in pairs:
        query.setdefault(_text(name), _text(value))
    client = scope.get("client")
    return Request(
        id=request_id,
        method=scope["method"],
        scheme=scope["scheme"],
        client=client[0] if client else "",
        raw_path=raw_path,
        bucket=bucket,
        key=key,
        raw_headers=raw_headers,
        headers=headers,
        query=query,
        query_pairs=pairs,
        host_has_bucket=bool(host_bucket),
        is_website=bool(website),
    )


def parse_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers as Latin-1 text without surrounding blanks, which uvicorn does not remove."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1").strip(" \t")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def parse_query(raw: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return the decoded parameters of a query string. A plus is a space, as in forms."""
    pairs = []
    for part in raw.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs.append((_unquote_plus(name), _unquote_plus(value)))
    return tuple(pairs)


def _unquote_plus(data: bytes) -> bytes:
    plain = data.replace(b"+", b" ")
    return unquote_to_bytes(plain) if b"%" in plain else plain


def _parse_resource(raw_path: bytes, bucket: str) -> tuple[str, str]:
    """Return bucket and key: the bucket is in the host name, or the first part of the path."""
    path = raw_path.removeprefix(b"/")
    if not bucket:
        raw_bucket, _, path = path.partition(b"/")
        bucket = _text(unquote_to_bytes(raw_bucket))
    key = _text(unquote_to_bytes(path))
    check_key(key)
    return bucket, key


def check_key(key: str) -> None:
    """Check a key of a request, of its body or of its headers.

    Raises: `S3Error` (KeyTooLongError; InvalidArgument: it names stored versions, which a request
    reaches by `versionId` only).
    """
    if (size := len(key.encode())) > MAX_KEY_SIZE:
        raise S3Error("KeyTooLongError", Size=size, MaxSizeAllowed=MAX_KEY_SIZE)
    if key.startswith(VERSIONS_PREFIX):
        message = f"Keys that begin with {VERSIONS_PREFIX} are reserved: use versionId."
        raise S3Error("InvalidArgument", message, ArgumentName="key", ArgumentValue=key)


def bucket_of_host(host: str, base_domains: Iterable[str]) -> str:
    """Return the bucket that a host name begins with, or an empty string."""
    if host.endswith("]"):  # an IPv6 address without a port
        return ""
    name = host.rpartition(":")[0] if ":" in host else host
    if ":" in host and not host.rpartition(":")[2].isdecimal():
        return ""  # no port: it must not become the host name of a redirect
    for domain in base_domains:
        if name.lower().endswith(f".{domain.lower()}"):
            return name[: -len(domain) - 1].lower()
    return ""


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise S3Error("InvalidURI", "The path and the query must be UTF-8.") from None


def collapsed(value: str) -> str:
    """Return a header's value with single spaces, as signatures have it."""
    return _SPACES.sub(" ", value.strip())
