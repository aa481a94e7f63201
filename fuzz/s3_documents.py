"""The parsers of the S3 gateway for documents: forms, policies, XML."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from fuzz.s3_signatures import CREDENTIAL, KEY, KEYS, NOW, TIME
from jetstow.s3.acl_requests import acl_document, parse_acl_document
from jetstow.s3.auth import signature
from jetstow.s3.auth.post_policy import authenticate_form, parse_policy
from jetstow.s3.body.form import FormReader
from jetstow.s3.cors import parse_rules, rules_document
from jetstow.s3.errors import S3Error
from jetstow.s3.events import rules as events
from jetstow.s3.lifecycle import documents as lifecycle
from jetstow.s3.multipart.completion import parse_parts
from jetstow.s3.tags import (
    MAX_OBJECT_TAGS,
    format_tags,
    load_tags,
    parse_tag_document,
    parse_tag_header,
    tag_document,
)
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, text

T = TypeVar("T")


# -- forms and policies --------------------------------------------------------------------

BOUNDARY: Final = b"boundary"
FORM_TYPE: Final = "multipart/form-data; boundary=boundary"


def check_form(data: bytes) -> None:
    """The division of a form does not matter."""
    whole = _read_form([data])
    in_pieces = _read_form([data[at : at + 7] for at in range(0, len(data), 7)])
    assert whole == in_pieces or isinstance(whole, str) == isinstance(in_pieces, str)
    content_type = data[:80].decode("latin-1")
    with suppress(S3Error):
        FormReader(_stream([]), content_type)


def _read_form(pieces: Sequence[bytes]) -> str | tuple[dict[str, str], str, bytes]:
    async def read() -> tuple[dict[str, str], str, bytes]:
        form = FormReader(_stream(pieces), FORM_TYPE)
        fields, content, more = await form.read_fields(), b"", True
        while more:
            message = await form.receive()
            content, more = content + message["body"], message["more_body"]
        return fields, form.filename, content

    try:
        return _run(read())
    except S3Error as error:
        return error.code


async def _stream(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the coroutine waits")


def check_policy(data: bytes) -> None:
    """A policy is refused as such, or checks fields. Its form needs the signature."""
    encoded = base64.b64encode(data).decode()
    for value in (encoded, data.decode("latin-1")):
        try:
            policy = parse_policy(value)
        except S3Error:
            continue
        assert policy.min_size >= 0
        assert policy.max_size is None or policy.max_size >= policy.min_size
        fields = {name: value for _, name, value in policy.conditions}
        for given in ({}, fields, {**fields, "key": "a"}):
            with suppress(S3Error):
                policy.check(given, NOW)
    form = {
        "policy": encoded, "x-amz-algorithm": signature.ALGORITHM, "x-amz-credential": CREDENTIAL,
        "x-amz-date": TIME, "x-amz-signature": data[-64:].decode("latin-1"),
    }  # fmt: skip
    with suppress(S3Error):
        raise AssertionError(f"{authenticate_form(form, KEYS)} without a signature")


_CONDITIONS: Final = (
    {"bucket": "b"}, ["starts-with", "$key", "a/"], ["eq", "$acl", "private"],
    ["content-length-range", 1, 10],
)  # fmt: skip
POLICY_SEEDS: Final = (
    json.dumps({"expiration": "2026-01-02T04:00:00Z", "conditions": _CONDITIONS}).encode(),
    b'{"expiration": "2026-01-02T04:00:00.000Z", "conditions": []}',
)
FORM_SEEDS: Final = (
    b"\r\n".join((
        b"--boundary", b'Content-Disposition: form-data; name="key"', b"", b"a/${filename}",
        b"--boundary", b'Content-Disposition: form-data; name="file"; filename="b.txt"',
        b"Content-Type: text/plain", b"", b"hello", b"--boundary--", b"",
    )),
    b"--boundary\r\ncontent-disposition: form-data; name=file\r\n\r\n\r\n--boundary\r\n\r\n\r\n",
)  # fmt: skip


# -- XML -----------------------------------------------------------------------------------


def check_xml(data: bytes) -> None:
    """A document is refused, or its contents are written and read again without a change."""
    for root in ("Tagging", "Delete", "CORSConfiguration"):
        with suppress(S3Error):
            for node in _walk(parse_xml(data, root)):
                assert parse_xml(_document(node.raw_text), "r").raw_value("v") == node.raw_text
    _round_trip(lambda body: parse_tag_document(body, MAX_OBJECT_TAGS), tag_document, data)
    _round_trip(parse_rules, rules_document, data)
    _round_trip(events.parse_rules, events.rules_document, data)
    _round_trip(lifecycle.parse_rules, lifecycle.rules_document, data)
    owner = KEY.owner
    _round_trip(
        lambda body: parse_acl_document(body, KEYS, owner),
        lambda acl: acl_document(owner, acl, KEYS),
        data,
    )
    with suppress(S3Error):
        assert all(part.number >= 1 for part in parse_parts(data))
    with suppress(S3Error):
        tags = parse_tag_header(data.decode("latin-1"))
        assert load_tags(format_tags(tags)) == tags


def _round_trip(parse: Callable[[bytes], T], write: Callable[[T], str], data: bytes) -> None:
    try:
        value = parse(data)
    except S3Error:
        return
    written = write(value).encode()
    assert parse(written) == value


def _walk(node: Node) -> list[Node]:
    return [node, *(below for child in node.children() for below in _walk(child))]


def _document(value: str) -> bytes:
    return document("r", text("v", value)).encode()


_CORS: Final = b"""
<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CORSRule><ID>i</ID>
<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>x-*</AllowedHeader>
<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3</MaxAgeSeconds></CORSRule></CORSConfiguration>
"""
_ACL: Final = b"""
<AccessControlPolicy><Owner><ID>owner</ID></Owner><AccessControlList><Grant>
<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">
<ID>owner</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList>
</AccessControlPolicy>
"""
_PARTS: Final = b"""
<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;x&quot;</ETag></Part>
</CompleteMultipartUpload>
"""
_LIFECYCLE: Final = b"""
<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><And><Prefix>b/</Prefix>
<Tag><Key>c</Key><Value>d</Value></Tag><ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter>
<Expiration><Date>2026-01-01T00:00:00Z</Date></Expiration><NoncurrentVersionExpiration>
<NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>
"""
_NOTIFICATION: Final = b"""
<NotificationConfiguration><TopicConfiguration><Topic>arn:aws:sns:::jetstow</Topic>
<Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>a</Value>
</FilterRule></S3Key></Filter></TopicConfiguration></NotificationConfiguration>
"""
XML_SEEDS: Final = (
    _LIFECYCLE.strip(),
    _NOTIFICATION.strip(),
    b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    b"<Delete><Quiet>true</Quiet><Object><Key> a&#13; </Key></Object></Delete>",
    _CORS.strip(),
    _ACL.strip(),
    _PARTS.strip(),
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><Tagging>&b;</Tagging>",
    b"a=b&c=d%20e",
)
