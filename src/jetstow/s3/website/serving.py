"""Serve a request to the host name of a website: a page, a redirect, or an error as HTML.

Requests are anonymous: the policy or the ACLs decide what they may read.
"""

from __future__ import annotations

import logging
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from jetstow.http import ObjectResponse, Selection
from jetstow.s3.acl import Permission
from jetstow.s3.call import Call
from jetstow.s3.conditions import find_info
from jetstow.s3.errors import S3Error, to_s3_error
from jetstow.s3.objects import object_headers
from jetstow.s3.reads import read_object
from jetstow.s3.request import Request
from jetstow.s3.result import Result
from jetstow.s3.website.configuration import Redirect, Website, load_website
from jetstow.s3.website.redirect_header import REDIRECT_LOCATION

_log = logging.getLogger("jetstow.s3")

_HTML: Final = "text/html; charset=utf-8"

# The conditions and the range of a request are not for the error document.
_WITHOUT_DOCUMENT: Final = frozenset({412, 416})


async def serve_website(call: Call) -> Result:
    """Return the page for the path of a request.

    Raises: `S3Error` (NoSuchWebsiteConfiguration, MethodNotAllowed).
    """
    website = load_website(call.bucket)
    if website is None:
        raise S3Error("NoSuchWebsiteConfiguration", BucketName=call.bucket.name)
    if call.request.method not in ("GET", "HEAD"):
        raise S3Error("MethodNotAllowed", Method=call.request.method)
    if website.redirect_all is not None:
        return _follow(call, website.redirect_all, "")
    if (found := website.redirect(call.key)) is not None:
        return _follow(call, *found)
    key = call.key
    if not key or key.endswith("/"):
        key += website.index
    try:
        return await _page(call.of_key(key))
    except Exception as error:  # noqa: BLE001 - an error of any kind has its page
        s3_error = to_s3_error(error)
    if s3_error.code == "NoSuchKey":
        folder = f"{key}/{website.index}"
        if key == call.key and await _may_read(call, folder):
            return Result(302, {"location": f"{_path(key)}/"})
        if not call.may_list:
            s3_error = S3Error("AccessDenied")
    if (found := website.redirect(call.key, s3_error.status)) is not None:
        return _follow(call, *found)
    return await _error_page(call, website, s3_error)


async def _may_read(call: Call, key: str) -> bool:
    """Return whether there is an object that everyone may read."""
    info = await find_info(call.bucket.store, key)
    try:
        if info is not None:
            call.check_object(call.bucket, info, Permission.READ, key=key)
    except S3Error:
        return False
    return info is not None


def error_page(error: S3Error, request_id: str) -> Result:
    """Return an error as a page."""
    title = f"{error.status} {HTTPStatus(error.status).phrase}"
    body = (
        f'<!doctype html>\n<html lang="en"><head><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1><ul><li>Code: {escape(error.code)}</li>"
        f"<li>Message: {escape(error.message)}</li><li>RequestId: {request_id}</li></ul></body>"
        "</html>\n"
    )
    return Result(error.status, dict(error.headers), text=body, media_type=_HTML)


async def _page(call: Call) -> Result:
    """Return the object of a key, or where it redirects to."""
    result = await read_object(call)
    response = result.response
    if response is not None and (location := response.headers.get(REDIRECT_LOCATION)) is not None:
        await response.close()
        return Result(301, {"location": location})
    return result


async def _error_page(call: Call, website: Website, error: S3Error) -> Result:
    """Return the error document with the status of the error, or a page without one."""
    has_document = error.status < 500 and error.status not in _WITHOUT_DOCUMENT
    if website.error is not None and has_document:
        try:
            return await _error_document(call, website.error, error)
        except Exception as missing:  # noqa: BLE001 - then the page of the error itself
            _log.debug("%s error document %s: %s", call.request.id, website.error, missing)
    return error_page(error, call.request.id)


async def _error_document(call: Call, key: str, error: S3Error) -> Result:
    file = await call.open_object(call.bucket, key)
    try:
        call.check_object(call.bucket, file.info, Permission.READ, key=key)
    except S3Error:
        await file.close()
        raise
    size = file.info.size or 0
    selection = Selection(error.status, 0, size, size)
    headers = object_headers(file.info) | error.headers
    response = ObjectResponse(file, selection, headers, call.request.method)
    return Result(error.status, response=response)


def _follow(call: Call, redirect: Redirect, prefix: str) -> Result:
    return Result(redirect.code, {"location": location(call.request, redirect, prefix)})


def location(request: Request, redirect: Redirect, prefix: str) -> str:
    """Return where a redirect sends a request. `prefix` is what its `prefix` replaces."""
    key = request.key
    if redirect.key is not None:
        key = redirect.key
    elif redirect.prefix is not None:
        key = redirect.prefix + key[len(prefix) :]
    protocol = redirect.protocol or request.scheme
    host = redirect.host or request.header("host") or ""
    return f"{protocol}://{host}{_path(key)}"


def _path(key: str) -> str:
    """Return the path of a key. With two slashes at its start, it would be a host name."""
    return f"/%2F{quote(key[1:])}" if key.startswith("/") else f"/{quote(key)}"
