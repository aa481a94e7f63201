"""What protects the console in a browser: headers of responses, and checks of requests."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers

from jetstow.console.errors import ConsoleError
from jetstow.http.asgi import Message, Send

CSRF_HEADER: Final = "x-csrf-token"

# Objects are data: a browser shows or runs none of them with the rights of the console's origin.
OBJECT_POLICY: Final = "sandbox; default-src 'none'"
# The same for responses of the gateway outside of the console, which may be web pages: they may
# run scripts, but in an origin of their own, without the cookies of the console.
PAGE_POLICY: Final = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"

_SAME_ORIGIN: Final = frozenset({"none", "same-origin"})
# What a page can run, or show as a page of its own origin: `script-src 'self'` would allow objects.
CODE_DESTINATIONS: Final = frozenset({
    "audioworklet", "embed", "frame", "iframe", "manifest", "object", "paintworklet", "report",
    "script", "serviceworker", "sharedworker", "style", "worker", "xslt",
})  # fmt: skip


def page_policy(preview: str | None) -> str:
    """Return the Content-Security-Policy of the console. `preview` is the origin of previews."""
    origin = f" {preview}" if preview else ""
    frames = preview or "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' blob:{origin}; media-src 'self'{origin}; "
        f"frame-src {frames}; connect-src 'self'; font-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def security_headers(policy: str) -> dict[str, str]:
    """Return the headers that all responses of the console have."""
    return {
        "content-security-policy": policy,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """Return `send` that sets headers of the response, instead of those of the same names."""
    names = {name.encode() for name in headers}
    added = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(n, v) for n, v in message.get("headers", ()) if n.lower() not in names]
            message["headers"] = kept + added
        await send(message)

    return send_with_headers


def with_sandbox(send: Send) -> Send:
    """Return `send` that puts a page of the gateway into an origin of its own.

    Chromium's viewer does not show a PDF in a sandbox. It gives a PDF no access to its origin.
    """
    policy = (b"content-security-policy", PAGE_POLICY.encode())

    async def send_with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ())]
            if (b"content-type", b"application/pdf") not in headers:
                headers.append(policy)
            message["headers"] = headers
        await send(message)

    return send_with_policy


def check_origin(headers: Headers) -> None:
    """Check that a request is not from a page of another origin.

    Raises: `ConsoleError` (CrossOriginRequest).
    """
    # A proxy with TLS changes the scheme, so only the host and the port are compared.
    origin = headers.get("origin")
    if origin is not None:
        # The origin of a page in a sandbox is "null", without a host.
        _, _, host = origin.partition("://")
        if not host or host.lower() != headers.get("host", "").lower():
            raise ConsoleError("CrossOriginRequest")
    if headers.get("sec-fetch-site", "none") not in _SAME_ORIGIN:
        raise ConsoleError("CrossOriginRequest")


def check_csrf(headers: Headers, expected: str) -> None:
    """Check the token of a request that changes data. Raises: `ConsoleError`."""
    given = headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise ConsoleError("InvalidCsrfToken")


def is_code_request(headers: Headers) -> bool:
    """Return whether a page of this origin loads something to run it."""
    return headers.get("sec-fetch-dest") in CODE_DESTINATIONS
