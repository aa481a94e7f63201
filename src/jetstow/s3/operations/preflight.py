"""Preflight: the request that a browser sends before one to another origin (OPTIONS)."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.cors import ORIGIN, REQUEST_METHOD, cors_headers, load_cors_rules
from jetstow.s3.errors import S3Error
from jetstow.s3.result import Result


async def preflight(call: Call) -> Result:
    """Return the headers of the first rule that allows the request. No key is needed."""
    headers = call.request.headers
    if not headers.get(ORIGIN):
        message = "Insufficient information. Origin request header needed."
        raise S3Error("BadRequest", message)
    if not headers.get(REQUEST_METHOD):
        raise S3Error("BadRequest", "Invalid Access-Control-Request-Method: null")
    if not load_cors_rules(call.bucket):
        message = "CORSResponse: CORS is not enabled for this bucket."
        raise S3Error("AccessForbidden", message)
    allowed = cors_headers(call.bucket, "OPTIONS", headers)
    if not allowed:
        message = (
            "CORSResponse: This CORS request is not allowed. This is usually because the "
            "evaluation of Origin, request method / Access-Control-Request-Method or "
            "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
        )
        raise S3Error("AccessForbidden", message)
    return Result(headers=allowed)
