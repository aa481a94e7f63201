"""The parsers of the S3 gateway: signatures, `aws-chunked` bodies, forms, policies, XML."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from jetstow.s3 import Key, Keys
from jetstow.s3.acl_requests import acl_document, parse_acl_document
from jetstow.s3.auth import signature
from jetstow.s3.auth.authenticate import authenticate
from jetstow.s3.auth.post_policy import authenticate_form, parse_policy
from jetstow.s3.auth.signature import ChunkSigner, Scope
from jetstow.s3.body.aws_chunked import AwsChunkedDecoder
from jetstow.s3.body.form import FormReader
from jetstow.s3.cors import parse_rules, rules_document
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.completion import parse_parts
from jetstow.s3.request import parse_request
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

KEY: Final = Key("KEY", "secret", "owner")
KEYS: Final = Keys((KEY,))
NOW: Final = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
TIME: Final = "20260102T030405Z"
SCOPE: Final = Scope("20260102", "us-east-1")
SIGNING_KEY: Final = signature.signing_key(KEY.secret_key, SCOPE)
CREDENTIAL: Final = f"KEY/{SCOPE}"
PAYLOAD: Final = "UNSIGNED-PAYLOAD"


# -- signatures ----------------------------------------------------------------------------


def check_signature(data: bytes) -> None:
    """A request is anonymous, refused, or has one of the signatures of the seeds."""
    head, *lines = data.split(b"\n")
    method, _, target = head.partition(b" ")
    path, _, query = target.partition(b"?")
    pairs = [line.partition(b":") for line in lines]
    scope = {
        "method": method.decode("latin-1"), "scheme": "http", "client": None, "raw_path": path,
        "query_string": query, "headers": [(name.lower(), value) for name, _, value in pairs],
    }  # fmt: skip
    try:
        request = parse_request(scope, "ID", ("s3.example.com",))
        identity = authenticate(request, KEYS, NOW)
    except S3Error:
        return
    assert identity.key is None or any(given in data for given in _SIGNATURES)


def _signed(
    method: str, path: str, query: str, headers: dict[str, str], *, by_query: bool
) -> bytes:
    """Return a request in the form that `check_signature` reads."""
    names = ";".join(sorted(headers))
    if by_query:
        query = (
            f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={CREDENTIAL.replace('/', '%2F')}"
            f"&X-Amz-Date={TIME}&X-Amz-Expires=60&X-Amz-SignedHeaders={names}"
        )
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "method": method, "scheme": "http", "client": None, "raw_path": path.encode(),
        "query_string": query.encode(), "headers": lines,
    }  # fmt: skip
    request = parse_request(scope, "ID", ())
    (string,) = signature.strings_to_sign(request, sorted(headers), PAYLOAD, TIME, SCOPE)
    given = signature.sign(SIGNING_KEY, string)
    _SIGNATURES.append(given.encode())
    if by_query:
        query += f"&X-Amz-Signature={given}"
    else:
        value = f"Credential={CREDENTIAL}, SignedHeaders={names}, Signature={given}"
        lines.append((b"authorization", f"AWS4-HMAC-SHA256 {value}".encode()))
    head = f"{method} {path}?{query}".encode()
    return b"\n".join((head, *(b":".join(pair) for pair in lines)))


_SIGNATURES: Final[list[bytes]] = []
SIGNATURE_SEEDS: Final = (
    _signed(
        "PUT",
        "/b/a%20b",
        "tagging&x=%C3%BC",
        {"host": "h", "x-amz-date": TIME, "x-amz-content-sha256": PAYLOAD},
        by_query=False,
    ),
    _signed("GET", "/b/a%2Fb//c", "", {"host": "b.s3.example.com:9000"}, by_query=True),
    b"GET /b/k?AWSAccessKeyId=KEY&Signature=x&Expires=1\nhost:h",
)


# -- aws-chunked ---------------------------------------------------------------------------

CONTENT: Final = b"hello world, in three chunks"
_SEED_SIGNATURE: Final = "0" * 64


def check_aws_chunked(data: bytes) -> None:
    """The division of a body does not matter. Signed chunks give bytes that were signed only."""
    for is_signed, has_trailer in ((False, True), (True, False), (True, True)):
        whole = _decode(is_signed, has_trailer, [data])
        pieces = [data[at : at + 3] for at in range(0, len(data), 3)]
        in_pieces = _decode(is_signed, has_trailer, pieces)
        assert in_pieces[1:] == whole[1:]
        if is_signed:
            assert CONTENT.startswith(whole[0])
            assert CONTENT.startswith(in_pieces[0])
        elif whole[1] is None:
            assert whole[0] == in_pieces[0]


def _decode(
    is_signed: bool, has_trailer: bool, pieces: Sequence[bytes]
) -> tuple[bytes, str | None, dict[str, str]]:
    """Return the decoded bytes, the code of the error or None, and the trailers without error."""
    signer = ChunkSigner(SIGNING_KEY, TIME, SCOPE, _SEED_SIGNATURE) if is_signed else None
    decoder, decoded = AwsChunkedDecoder(signer, has_trailer=has_trailer), b""
    try:
        for piece in pieces:
            decoded += b"".join(decoder.feed(piece))
        decoder.finish()
    except S3Error as error:
        return decoded, error.code, {}
    return decoded, None, decoder.trailers


def _signed_body(*, has_trailer: bool) -> bytes:
    previous, prefix = _SEED_SIGNATURE, f"{TIME}\n{SCOPE}"

    def sign(kind: str, content: str) -> str:
        return signature.sign(
            SIGNING_KEY, f"AWS4-HMAC-SHA256-{kind}\n{prefix}\n{previous}\n{content}"
        )

    body = b""
    for piece in (CONTENT[:5], CONTENT[5:20], CONTENT[20:], b""):
        digest = hashlib.sha256(piece).hexdigest()
        previous = sign("PAYLOAD", f"{signature.EMPTY_SHA256}\n{digest}")
        body += b"%x;chunk-signature=%s\r\n" % (len(piece), previous.encode())
        body += piece + b"\r\n" if piece else b""
    if not has_trailer:
        return body + b"\r\n"
    digest = hashlib.sha256(b"x-amz-checksum-crc32:AAAAAA==\n").hexdigest()
    given = sign("TRAILER", digest).encode()
    return body + b"x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:%s\r\n\r\n" % given


CHUNKED_SEEDS: Final = (
    b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
    b"0\r\n\r\n",
    _signed_body(has_trailer=False),
    _signed_body(has_trailer=True),
)


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
XML_SEEDS: Final = (
    b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    b"<Delete><Quiet>true</Quiet><Object><Key> a&#13; </Key></Object></Delete>",
    _CORS.strip(),
    _ACL.strip(),
    _PARTS.strip(),
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><Tagging>&b;</Tagging>",
    b"a=b&c=d%20e",
)
