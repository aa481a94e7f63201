"""The session: sign in, sign out, and who has signed in."""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.util
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jetstow.console.access import signed_in
from jetstow.console.attempts import client_name
from jetstow.console.context import context_of
from jetstow.console.errors import ConsoleError
from jetstow.console.json_body import read_json
from jetstow.console.sessions import COOKIE, LIFETIME, Token, is_secret, new_token

PATH: Final = "/_console/api/session"
COOKIE_PATH: Final = "/_console"

_MAX_SIZE: Final = 16 * 1024
# The characters of a wrong access key that are remembered.
_MAX_NAME: Final = 128


class _Credentials(msgspec.Struct, forbid_unknown_fields=True):
    access_key: str
    secret_key: str


async def sign_in(request: Request) -> Response:
    """Check the secret of a key, and begin a session."""
    given = await read_json(request, _Credentials, max_size=_MAX_SIZE)
    context = context_of(request)
    # A key that does not exist is limited, too: the answers do not show which keys there are.
    names = (client_name(request.client), f"key {given.access_key[:_MAX_NAME]}")
    if seconds := context.attempts.wait(names):
        raise ConsoleError("TooManyAttempts", headers={"retry-after": str(seconds)})
    gateway = context.gateway
    key = gateway.services.keys.find(given.access_key)
    if not is_secret(key, given.secret_key) or key is None:
        context.attempts.add(names)
        raise ConsoleError("InvalidCredentials")
    token = new_token(key, gateway.clock().timestamp())
    response = JSONResponse(_describe(request, token))
    response.set_cookie(
        COOKIE, token.encode(), max_age=LIFETIME, path=COOKIE_PATH,
        secure=_is_https(request), httponly=True, samesite="strict",
    )  # fmt: skip
    return response


async def show(request: Request) -> Response:
    """Return the session."""
    return JSONResponse(_describe(request, signed_in(request).token))


async def sign_out(request: Request) -> Response:  # noqa: ARG001
    """End the session in this browser."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")
    return response


def _describe(request: Request, token: Token) -> dict[str, Any]:
    key = token.key
    expires = datetime.datetime.fromtimestamp(token.expires, datetime.UTC)
    return {
        "access_key": key.access_key,
        "name": key.display_name,
        "user": key.owner,
        "allow": key.allow,
        "admin": key.admin,
        "buckets": list(key.buckets),
        "csrf": token.csrf,
        "expires": expires.isoformat().replace("+00:00", "Z"),
        "version": importlib.metadata.version("jetstow"),
        "preview": context_of(request).preview_origin(request),
        "features": {"parquet": importlib.util.find_spec("pyarrow") is not None},
    }


def _is_https(request: Request) -> bool:
    """Return whether the browser uses https, also if a proxy in between ends it."""
    return "https" in (request.scope["scheme"], request.headers.get("origin", "").partition(":")[0])


ROUTES: Final = [
    Route("/session", sign_in, methods=["POST"]),
    Route("/session", show, methods=["GET"]),
    Route("/session", sign_out, methods=["DELETE"]),
]
