"""The access keys of the gateway: list, add, change, revoke. For administrators."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jetstow.console.access import check_admin
from jetstow.console.errors import ConsoleError
from jetstow.console.json_body import read_json
from jetstow.console.key_file import Entry, change_keys, is_writable
from jetstow.s3.app import Gateway
from jetstow.s3.auth.keys import Allow, Key, KeyFileError, generate_pair
from jetstow.s3.errors import S3Error

T = TypeVar("T")

_MAX_SIZE: Final = 64 * 1024
# A key file is read again when it has changed, between two requests: keep that short.
_MAX_KEYS: Final = 1000

_Text = Annotated[str, Meta(max_length=128)]
_Patterns = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=128)]], Meta(min_length=1, max_length=100)
]


class _NewKey(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text = ""
    user: _Text = ""
    allow: Allow = "full"
    buckets: _Patterns = msgspec.field(default_factory=lambda: ["*"])
    admin: bool = False


class _KeyChange(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text | UnsetType = UNSET
    allow: Allow | UnsetType = UNSET
    buckets: _Patterns | UnsetType = UNSET
    admin: bool | UnsetType = UNSET


async def list_keys(request: Request) -> Response:
    """Return all keys without their secrets."""
    keys = check_admin(request).services.keys
    writable = keys.path is not None and await asyncio.to_thread(is_writable, keys.path)
    return JSONResponse({"keys": [_describe(key) for key in keys], "writable": writable})


async def add_key(request: Request) -> Response:
    """Add a key with a random secret, which only this response has."""
    gateway = check_admin(request).gateway
    given = await read_json(request, _NewKey, max_size=_MAX_SIZE)
    access_key, secret_key = generate_pair()
    fields = msgspec.to_builtins(given)
    _check_texts(fields)
    entry: Entry = {"access_key": access_key, "secret_key": secret_key}
    entry |= {name: value for name, value in fields.items() if value not in ("", False)}

    def add(entries: list[Entry]) -> None:
        if len(entries) >= _MAX_KEYS:
            raise S3Error("InvalidRequest", f"The key file has {_MAX_KEYS} keys: remove one.")
        entries.append(entry)

    await _change(request, add)
    added = _describe(_find(gateway, access_key))
    return JSONResponse(added | {"secret_key": secret_key}, 201)


async def change_key(request: Request) -> Response:
    """Change what a key allows, or its name. Its secret stays."""
    gateway, access_key = check_admin(request).gateway, request.path_params["access_key"]
    fields = msgspec.to_builtins(await read_json(request, _KeyChange, max_size=_MAX_SIZE))
    _check_texts(fields)

    def change(entries: list[Entry]) -> None:
        _entry(entries, access_key).update(fields)
        _check_admins(entries)

    await _change(request, change)
    return JSONResponse(_describe(_find(gateway, access_key)))


async def revoke_key(request: Request) -> Response:
    """Remove a key. Its sessions end, and requests that it signed are refused."""
    check_admin(request)
    access_key = request.path_params["access_key"]

    def remove(entries: list[Entry]) -> None:
        entries.remove(_entry(entries, access_key))
        _check_admins(entries)

    await _change(request, remove)
    return Response(status_code=204)


async def _change(request: Request, change: Callable[[list[Entry]], T]) -> T:
    """Change the key file, and use it from now on. Other workers do so within a second.

    Raises: `ConsoleError` (KeyFileNotWritable), `S3Error` (OperationAborted), what `change` raises.
    """
    gateway = check_admin(request).gateway
    path = gateway.services.keys.path
    if path is None:
        raise ConsoleError("KeyFileNotWritable", "The gateway has no key file.")
    try:
        result = await asyncio.to_thread(change_keys, path, change)
    except BlockingIOError:
        raise S3Error("OperationAborted") from None
    except KeyFileError as error:
        raise ConsoleError("KeyFileNotWritable", f"{error}.") from None
    except OSError as error:
        reason = f"key file {str(path)!r} cannot be written: {error.strerror or error}."
        raise ConsoleError("KeyFileNotWritable", reason) from None
    gateway.key_reload.check_now()
    return result


def _entry(entries: list[Entry], access_key: str) -> Entry:
    found = next((each for each in entries if each["access_key"] == access_key), None)
    if found is None:
        raise S3Error("InvalidAccessKeyId")
    return found


def _find(gateway: Gateway, access_key: str) -> Key:
    key = gateway.services.keys.find(access_key)
    if key is None:  # another client has revoked it since
        raise S3Error("InvalidAccessKeyId")
    return key


def _check_admins(entries: list[Entry]) -> None:
    """Check that a key of an administrator is left. Raises: `ConsoleError` (LastAdmin)."""
    if not any(entry.get("admin") for entry in entries):
        raise ConsoleError("LastAdmin")


def _check_texts(fields: dict[str, Any]) -> None:
    """Check that texts can be shown and stored. Raises: `S3Error` (InvalidArgument)."""
    texts = [fields.get("name", ""), fields.get("user", ""), *fields.get("buckets", ())]
    if not all(text.isprintable() for text in texts):  # no lone surrogate is, either
        message = "Names, users and patterns must not have control characters."
        raise S3Error("InvalidArgument", message)


def _describe(key: Key) -> dict[str, Any]:
    return {
        "access_key": key.access_key,
        "name": key.name,
        "user": key.owner,
        "allow": key.allow,
        "buckets": list(key.buckets),
        "admin": key.admin,
        "creds": key.creds is not None,
    }


ROUTES: Final = [
    Route("/keys", list_keys, methods=["GET"]),
    Route("/keys", add_key, methods=["POST"]),
    Route("/keys/{access_key}", change_key, methods=["PATCH"]),
    Route("/keys/{access_key}", revoke_key, methods=["DELETE"]),
]
