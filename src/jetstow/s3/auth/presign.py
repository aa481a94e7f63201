"""Presigned URLs: a request of a key that others can send until it expires."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from jetstow.s3.auth import signature
from jetstow.s3.auth.keys import Key
from jetstow.s3.auth.signature import Scope
from jetstow.s3.request import parse_request


def presigned_url(
    key: Key,
    origin: str,
    path: str,
    *,
    region: str,
    now: datetime.datetime,
    seconds: int,
    query: Mapping[str, str] | None = None,
) -> str:
    """Return the URL of a GET request of a key, valid for some seconds from now on.

    `origin` is scheme, host and port of the gateway, `path` is encoded as URLs are, and `query`
    has further parameters.
    """
    scheme, _, host = origin.partition("://")
    time = now.strftime("%Y%m%dT%H%M%SZ")
    scope = Scope(time[:8], region)
    parameters = {
        "X-Amz-Algorithm": signature.ALGORITHM,
        "X-Amz-Credential": f"{key.access_key}/{scope}",
        "X-Amz-Date": time,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
        **(query or {}),
    }
    encoded = urlencode(parameters, quote_via=quote, safe="-_.~")
    request = parse_request(
        {
            "method": "GET", "scheme": scheme, "raw_path": path.encode(),
            "query_string": encoded.encode(), "headers": [(b"host", host.encode())],
        },
        "", (),
    )  # fmt: skip
    text = signature.strings_to_sign(request, ["host"], signature.UNSIGNED_PAYLOAD, time, scope)[0]
    signed = signature.sign(signature.signing_key(key.secret_key, scope), text)
    return f"{origin}{path}?{encoded}&X-Amz-Signature={signed}"
