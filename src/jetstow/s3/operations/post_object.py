"""PostObject: store the file of a browser's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from jetstow.http.asgi import Receive
from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.access import Access, check_bucket_access, check_expected_owner, check_key_access
from jetstow.s3.auth.post_policy import POLICY, Policy, authenticate_form, parse_policy
from jetstow.s3.body.form import FormReader
from jetstow.s3.body.payload import Payload
from jetstow.s3.body.raw import RawBody
from jetstow.s3.call import Call, new_caller
from jetstow.s3.conditions import put_conditions
from jetstow.s3.customer_key import request_key
from jetstow.s3.errors import S3Error
from jetstow.s3.events.rules import POST
from jetstow.s3.not_implemented import refuse_not_implemented
from jetstow.s3.object_lock import new_lock
from jetstow.s3.ownership import new_object_entries
from jetstow.s3.request import check_key
from jetstow.s3.reserved import EVENT
from jetstow.s3.result import Result, no_content
from jetstow.s3.tags import MAX_OBJECT_TAGS, TAGGING, parse_tag_document
from jetstow.s3.versions import new_headers
from jetstow.s3.website.redirect_header import redirect_entries
from jetstow.s3.writes import store_payload
from jetstow.s3.xml.writing import plain_document, text

_FILENAME: Final = "${filename}"
_REDIRECT: Final = ("success_action_redirect", "redirect")
_STATUS: Final = "success_action_status"


async def post_object(call: Call) -> Result:
    """Check the form, then store its file."""
    request = call.request
    if call.identity.key is not None:
        message = "A form is authenticated by its fields: it must not have a signature of its own."
        raise S3Error("InvalidRequest", message)
    call.payload.require_length()
    form = FormReader(aiter(call.payload.raw), request.header("content-type") or "")
    fields = await form.read_fields()
    policy = await _authorize(call, fields, form.filename)
    key = fields["key"]
    headers = _as_headers(fields)
    refuse_not_implemented(headers)
    attributes = objects.parse_headers(headers)
    attributes.reserved |= new_object_entries(
        call.bucket, call.identity, headers, call.services.keys
    )
    attributes.reserved |= redirect_entries(headers)
    attributes.reserved[EVENT] = POST
    attributes.retention, attributes.legal_hold = new_lock(call.bucket, headers, call.now)
    if "tagging" in fields:
        tags = parse_tag_document(fields["tagging"].encode(), MAX_OBJECT_TAGS)
        attributes.reserved |= objects.tag_entries(tags)
    # The file is to the fields what a body is to its headers.
    file_request = replace(request, headers=headers | {"transfer-encoding": "chunked"})
    payload = Payload(
        file_request, call.identity, RawBody(file_request.headers, _limited(form, policy))
    )
    info = await store_payload(call.bucket, key, payload, attributes, put_conditions(headers))
    return _response(call, fields, info)


async def _authorize(call: Call, fields: dict[str, str], filename: str) -> Policy | None:
    """Check the caller, the bucket, the key and the policy. Return the policy.

    The key in `fields` gets the name of the file.

    Raises: `S3Error`.
    """
    request, services = call.request, call.services
    if "key" not in fields:
        message = (
            "Bucket POST must contain a field named 'key'. If it is specified, please check the "
            "order of the fields."
        )
        raise S3Error("InvalidArgument", message, ArgumentName="key", ArgumentValue="")
    fields["key"] = fields["key"].replace(_FILENAME, filename)
    call.identity = authenticate_form(fields, services.keys)
    policy = parse_policy(fields[POLICY]) if call.identity.key is not None else None
    check_key_access(request, call.identity, Access.WRITE)
    call.buckets = await services.buckets_of(call.identity.key)
    headers = _as_headers(fields)
    bucket = await call.buckets.open(request.bucket)
    key = request_key(request, "PostObject", headers)
    call.opened_bucket = bucket = bucket.with_key(key)
    caller = new_caller(services, request, call.identity, headers)
    check_bucket_access(caller, bucket, "PostObject", Access.WRITE, fields["key"])
    check_expected_owner(request, call.identity, bucket)
    if policy is not None:
        policy.check(fields | {"bucket": bucket.name}, call.now)
    if not fields["key"]:
        message = "User key must have a length greater than 0."
        raise S3Error("InvalidArgument", message, ArgumentName="key", ArgumentValue="")
    check_key(fields["key"])
    return policy


def _as_headers(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields as the headers of a PUT. They have the Latin-1 of headers for UTF-8."""
    headers = {name: value.encode().decode("latin-1") for name, value in fields.items()}
    for field, header in (("acl", "x-amz-acl"), ("tagging", TAGGING)):
        if field in headers:
            headers[header] = headers[field]
    return headers


def _limited(form: FormReader, policy: Policy | None) -> Receive:
    """Return the function that receives the file. It checks the size that the policy allows."""
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        message = await form.receive()
        received += len(message["body"])
        if policy is not None:
            if policy.max_size is not None and received > policy.max_size:
                raise S3Error("EntityTooLarge", MaxSizeAllowed=policy.max_size)
            if not message["more_body"] and received < policy.min_size:
                raise S3Error("EntityTooSmall", MinSizeAllowed=policy.min_size)
        return message

    return receive


def _response(call: Call, fields: Mapping[str, str], info: ObjectInfo) -> Result:
    """Return the response that the form asks for."""
    tag = objects.etag(info)
    location = call.request.url_of(fields["key"])
    headers = {"etag": tag, "location": location} | new_headers(call.bucket, info)
    redirect = next((fields[name] for name in _REDIRECT if name in fields), "")
    if _is_web_address(redirect):
        query = urlencode({"bucket": call.bucket.name, "key": fields["key"], "etag": tag})
        separator = "&" if urlsplit(redirect).query else "?"
        return Result(303, headers | {"location": f"{redirect}{separator}{query}"})
    status = fields.get(_STATUS)
    if status == "200":
        return Result(headers=headers)
    if status == "201":
        children = (
            text("Location", location),
            text("Bucket", call.bucket.name),
            text("Key", fields["key"]),
            text("ETag", tag),
        )
        return Result(201, headers, xml=plain_document("PostResponse", *children))
    return no_content(headers)


def _is_web_address(url: str) -> bool:
    """Return whether a redirect is to an address; S3 ignores others."""
    if not (url.isascii() and url.isprintable()) or " " in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
