"""The settings of buckets that decide about requests: policies and website configurations.

An input is a document, and after a null byte the path of a request and its header values, in lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec
from nats.js.api import StreamConfig, StreamInfo, StreamState

from jetstow.models import BucketStatus
from jetstow.s3.buckets import BucketState
from jetstow.s3.errors import S3Error
from jetstow.s3.policy.conditions import Facts
from jetstow.s3.policy.decision import Decision, decide
from jetstow.s3.policy.document import BucketPolicy, load_policy, parse_policy
from jetstow.s3.request import Request, parse_request
from jetstow.s3.reserved import POLICY, WEBSITE
from jetstow.s3.website.configuration import (
    Website,
    load_website,
    parse_website,
    website_document,
)
from jetstow.s3.website.serving import location
from jetstow.s3.xml.writing import error_document

_BUCKET: Final = "photos"
_HOST: Final = "photos.web.test"
_ACTIONS: Final = ("s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutBucketPolicy")


def _bucket(name: str, value: str) -> BucketState:
    """Return the state of a bucket with one setting."""
    config = StreamConfig(name="OBJ_photos", metadata={name: value})
    state = StreamState(messages=0, bytes=0, first_seq=0, last_seq=0, consumer_count=0)
    return BucketState(_BUCKET, BucketStatus(StreamInfo(config=config, state=state), _BUCKET))


def _requests(tail: bytes, texts: list[str]) -> Iterator[Request]:
    """Yield requests with the lines of an input, and with texts of the document."""
    for values in (tail.split(b"\n"), [text.encode(errors="replace") for text in texts]):
        path, *fields = (values * 5)[:5] or [b""]
        names = (b"user-agent", b"referer", b"x-amz-copy-source", b"x-amz-acl")
        scope = {
            "method": "GET", "scheme": "http", "client": ("10.1.2.3", 1),
            "raw_path": b"/" + path.replace(b"?", b"%3F"),
            "query_string": b"prefix=%s&max-keys=%s" % (path, fields[0] if fields else b""),
            "headers": [(b"host", _HOST.encode()), *zip(names, fields, strict=False)],
        }  # fmt: skip
        with suppress(S3Error):
            yield parse_request(scope, "ID", (), ("web.test",))


# -- policies ------------------------------------------------------------------------------


def check_bucket_policy(data: bytes) -> None:
    """A policy is refused, or decides about every request what its effects allow."""
    head, _, tail = data.partition(b"\0")
    text = head.decode(errors="replace")
    try:
        policy = parse_policy(text, _BUCKET, bool)
    except S3Error as error:
        error_document(error.code, error.message, "/", "ID", **error.fields).encode()
        return
    assert load_policy(text) == policy
    bucket, effects = _bucket(POLICY, text), {each.allows for each in policy.statements}
    for request in _requests(tail, _texts(policy)):
        facts = Facts(request, request.headers)
        for user in (None, "owner", *sorted(policy.statements[0].users)):
            decision = decide(bucket, user, _ACTIONS, request.key, facts, public=True)
            assert decision is not Decision.ALLOWED or True in effects
            assert decision is not Decision.DENIED or False in effects
            if policy.is_public and decision is Decision.ALLOWED:
                private = decide(bucket, user, _ACTIONS, request.key, facts, public=False)
                assert private is Decision.NONE


def _texts(policy: BucketPolicy) -> list[str]:
    """Return texts that patterns of a policy match, or that need many attempts."""
    found = []
    for statement in policy.statements:
        patterns = [each.partition("/")[2] for each in statement.resources]
        patterns += [value for each in statement.conditions for value in each.values]
        found += [each.replace("*", "").replace("?", "a") for each in patterns]
        found += [(each.strip("*?")[:1] or "a") * 1024 for each in patterns]
    return found or ["a"]


_STATEMENT: Final = {
    "Sid": "a", "Effect": "Allow", "Principal": {"AWS": ["owner", "arn:aws:iam:::user/b"]},
    "Action": ["s3:Get*", "s3:PutObject", "s3:ListBucke?"],
    "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*a?b*"],
}  # fmt: skip
_CONDITION: Final = {
    "StringLike": {"s3:prefix": ["a*", "*?b*"], "aws:UserAgent": "curl*"},
    "StringNotEqualsIfExists": {"s3:x-amz-copy-source": "b/k"},
    "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::/0"]},
    "NumericLessThan": {"s3:max-keys": 10},
    "Bool": {"aws:SecureTransport": False},
    "Null": {"aws:Referer": "true"},
}
POLICY_SEEDS: Final = tuple(
    json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()
    + "\0photos/äb\ncurl\n10\n/b/k?versionId=x\nprivate".encode()
    for statements in (
        _STATEMENT,
        [{**_STATEMENT, "Condition": _CONDITION}, {**_STATEMENT, "Effect": "Deny"}],
        {**_STATEMENT, "Principal": "*", "Resource": "arn:aws:s3:::photos/" + "*?a" * 40 + "b*"},
    )
)


# -- websites ------------------------------------------------------------------------------


def check_website(data: bytes) -> None:
    """A configuration is refused, or redirects to its hosts only. Stored ones may be any JSON."""
    head, _, tail = data.partition(b"\0")
    try:
        website = parse_website(head)
    except S3Error:
        stored = load_website(_bucket(WEBSITE, head.decode(errors="replace")))
        if stored is None:
            return
        website = stored
    else:
        assert parse_website(website_document(website).encode()) == website
        encoded = msgspec.json.encode(website)
        assert load_website(_bucket(WEBSITE, encoded.decode())) == website
    for request in _requests(tail, [rule.prefix for rule in website.rules] + ["/evil.test/a"]):
        for error_code in (None, 403, 404):
            _check_redirect(website, request, error_code)


def _check_redirect(website: Website, request: Request, error_code: int | None) -> None:
    if website.redirect_all is not None:
        redirect, prefix = website.redirect_all, ""
    elif (found := website.redirect(request.key, error_code)) is not None:
        redirect, prefix = found
        assert request.key.startswith(prefix)
    else:
        return
    assert 301 <= redirect.code <= 308
    url = location(request, redirect, prefix)
    assert url.isascii()
    assert url.isprintable()
    parts = urlsplit(url)
    assert parts.scheme == (redirect.protocol or "http")
    assert parts.netloc == (redirect.host or _HOST)
    assert not parts.path.startswith("//")
    assert not parts.query
    assert not parts.fragment
    if redirect.key is not None:
        assert unquote(parts.path[1:]) == redirect.key


_WEBSITE: Final = b"""
<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>
<ErrorDocument><Key>404.html</Key></ErrorDocument><RoutingRules><RoutingRule><Condition>
<KeyPrefixEquals>old/</KeyPrefixEquals></Condition><Redirect>
<ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith></Redirect></RoutingRule><RoutingRule><Condition>
<HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect>
<HostName>other.test:80</HostName><Protocol>https</Protocol><ReplaceKeyWith>why?</ReplaceKeyWith>
<HttpRedirectCode>302</HttpRedirectCode></Redirect></RoutingRule></RoutingRules>
</WebsiteConfiguration>
"""
WEBSITE_SEEDS: Final = (
    _WEBSITE.strip() + b"\0old/a%20b\n",
    b"""<WebsiteConfiguration><RedirectAllRequestsTo><HostName>other.test</HostName>
</RedirectAllRequestsTo></WebsiteConfiguration>\0/evil.test""",
    b'{"index": "i", "rules": [{"redirect": {"host": "other.test", "code": 302, "key": "/a"}}]}',
    # What another NATS client wrote.
    b'{"index": "i", "rules": [{"redirect": {"host": "a\\r\\nb: c/", "key": "a"}}]}',
    b'{"redirect_all": {"host": "a", "code": 200}}',
)
