"""Policy documents: what is accepted, what is refused, and what conditions compare."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow.s3.errors import S3Error
from jetstow.s3.policy.conditions import Condition, Facts
from jetstow.s3.policy.document import BucketPolicy, load_policy, parse_policy
from jetstow.s3.policy.wildcards import matches_wildcards
from jetstow.s3.request import parse_request

STATEMENT: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam:::user/other"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::photos/*",
}


def parse(**changes: object) -> BucketPolicy:
    statement = {k: v for k, v in (STATEMENT | changes).items() if v is not None}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return parse_policy(json.dumps(document), "photos", {"other", "third"}.__contains__)


def test_accepted_documents() -> None:
    (statement,) = parse().statements
    assert statement.users == {"other"}
    assert statement.actions == ("s3:getobject",)
    assert statement.resources == ("photos/*",)
    accepted: list[tuple[str, object, frozenset[str]]] = [
        ("Principal", "*", frozenset("*")),
        ("Principal", {"AWS": "*"}, frozenset("*")),
        ("Principal", {"AWS": ["other", "arn:aws:iam::third:root"]}, frozenset({"other", "third"})),
        ("Principal", {"CanonicalUser": "third"}, frozenset({"third"})),
    ]
    for field, value, users in accepted:
        assert parse(**{field: value}).statements[0].users == users
    parse(Action=["s3:*", "s3:Get*", "S3:LISTBUCKET", "*"])
    parse(Resource=["*", "arn:aws:s3:::photos", "arn:aws:s3:::p*/a", "arn:aws:s3::user:photos/a"])
    parse(Condition={"StringEquals": {"s3:prefix": ["", "home/"]}})
    parse(Condition={"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:max-keys": 9}})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("Effect", "Maybe", "Invalid effect"),
        ("Principal", None, "Missing required field Principal"),
        ("Principal", {"AWS": "nobody-has-it"}, "no key has the user nobody-has-it"),
        ("Principal", {"Service": "logging.amazonaws.com"}, "Service is not implemented"),
        ("Principal", {"AWS": "arn:aws:iam::1:role/x"}, "Invalid principal"),
        ("Principal", {}, "Invalid principal"),
        ("Action", "s3:GetObjectTorrent", "invalid action: s3:GetObjectTorrent"),
        ("Action", "ec2:*", "invalid action"),
        ("Action", [], "must not be empty"),
        ("Action", 1, "must be a string"),
        ("Resource", "arn:aws:s3:::other/*", "is not in the bucket"),
        ("Resource", "photos/*", "invalid resource"),
        ("Resource", "arn:aws:s3:::photos/${aws:username}/*", "policy variables"),
        ("NotAction", "s3:*", "does not implement the field NotAction"),
        ("Condition", {"ForAnyValue:StringLike": {"s3:prefix": "a"}}, "Invalid Condition type"),
        ("Condition", {"StringEquals": {"s3:ExistingObjectTag/a": "b"}}, "invalid condition key"),
        ("Condition", {"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}}, "Invalid value"),
        ("Condition", {"Bool": {"aws:SecureTransport": "often"}}, "Invalid value"),
        ("Condition", [], "must be a JSON object"),
        ("Condition", {"StringEquals": {"s3:prefix": [["a", "b"]]}}, "must be a string"),
        ("Condition", {"StringEquals": {"s3:prefix": []}}, "must have a value"),
        ("Principal", {"AWS": "arn:aws:iam:::user/*"}, "Invalid principal"),
        ("Principal", {"AWS": "arn:aws:iam::*:root"}, "Invalid principal"),
    ],
)
def test_refused_documents(field: str, value: object, message: str) -> None:
    with pytest.raises(S3Error, match=message) as caught:
        parse(**{field: value})
    assert caught.value.code == "MalformedPolicy"


def test_refused_texts() -> None:
    for text in ("", "{", "[]", "{}", '{"Statement": []}', '{"Version": "1", "Statement": {}}'):
        with pytest.raises(S3Error, match="MalformedPolicy"):
            parse_policy(text, "photos", bool)
    deep = '{"Statement":' + "[" * 9000 + "]" * 9000 + "}"
    # Which of two fields with the same name counts, readers of JSON disagree about.
    twice = json.dumps({"Statement": STATEMENT}).replace('"Action"', '"Effect": "Deny", "Action"')
    for text in (deep, twice, '{"Statement": NaN}'):
        with pytest.raises(S3Error, match="MalformedPolicy"):
            parse_policy(text, "photos", bool)
    with pytest.raises(S3Error, match="EntityTooLarge"):
        parse_policy(" " * 20_481, "photos", bool)


def test_stored_nonsense_denies_everything() -> None:
    (statement,) = load_policy("nonsense").statements
    assert not statement.allows
    assert load_policy(None).statements == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["*", "s3:*"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(field=st.sampled_from([*STATEMENT, "Condition"]), value=JSON)
def test_any_document(field: str, value: object) -> None:
    with suppress(S3Error):
        assert len(parse(**{field: value}).statements) == 1


def test_copy_source_of_a_form() -> None:
    """The fields of a form are any text. A source that no header can have was an internal error."""
    scope = {
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [],
    }
    facts = Facts(parse_request(scope, "id", ()), {"x-amz-copy-source": "/b/\u65e5"})
    assert Condition("StringEquals", "s3:x-amz-copy-source", ("b/\u65e5",)).holds(facts)


def test_public_documents() -> None:
    at_home = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    assert not parse().is_public
    assert parse(Principal="*").is_public
    assert parse(Principal="*", Condition={"StringLike": {"s3:prefix": "a*"}}).is_public
    assert not parse(Principal="*", Condition=at_home).is_public
    assert not parse(Principal="*", Effect="Deny").is_public
    for networks in (["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["10.0.0.0/8", "::/0"]):
        anywhere = {"IpAddress": {"aws:SourceIp": networks}}
        assert parse(Principal="*", Condition=anywhere).is_public, networks


def test_wildcards() -> None:
    assert matches_wildcards("a*[b]?", "a/x/[b]c")
    assert not matches_wildcards("a*[b]", "ab")
    assert not matches_wildcards("*a" * 30, "a" * 25 + "b" * 900)
    assert not matches_wildcards("*" + "ab" * 9000 + "c*", "ab" * 30_000), "in linear time"
    # Many parts, and long ones: as a regular expression, each of these took seconds.
    assert not matches_wildcards("*" + "a?" * 9000 + "b*", "a" * 30_000)
    assert not any(matches_wildcards(f"*a?b{'*' * n}", "a" * 4096) for n in range(1, 3000))
    assert matches_wildcards("*a?b*" + "?" * 9 + "*c", "xaabab" + "x" * 9 + "c")


@given(pattern=st.text("ab*?\n", max_size=9), text=st.text("ab\n", max_size=9))
def test_any_wildcards(pattern: str, text: str) -> None:
    expected = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert matches_wildcards(pattern, text) == bool(re.fullmatch(expected, text, re.DOTALL))


@pytest.mark.parametrize(
    ("operator", "key", "values", "holds"),
    [
        ("StringEquals", "s3:prefix", ["b/", "a/"], True),
        ("StringEquals", "s3:delimiter", ["/"], False),
        ("StringEqualsIfExists", "s3:delimiter", ["/"], True),
        ("StringNotEquals", "s3:prefix", ["b/", "a/"], False),
        ("StringNotEquals", "s3:delimiter", ["/"], True),
        ("StringLike", "s3:prefix", ["a*"], True),
        ("StringNotLike", "s3:prefix", ["b*"], True),
        ("StringEqualsIgnoreCase", "aws:useragent", ["CURL"], True),
        ("Bool", "aws:securetransport", ["false"], True),
        ("IpAddress", "aws:sourceip", ["10.0.0.0/8", "192.168.0.1"], True),
        ("NotIpAddress", "aws:sourceip", ["10.0.0.0/8"], False),
        ("NumericLessThanEquals", "s3:max-keys", ["10"], True),
        ("NumericGreaterThan", "s3:max-keys", ["10"], False),
        ("Null", "s3:delimiter", ["true"], True),
        ("Null", "s3:prefix", ["true"], False),
        ("StringEquals", "s3:x-amz-copy-source", ["b/k"], True),
    ],
)
def test_conditions(operator: str, key: str, values: list[str], holds: bool) -> None:
    scope = {
        "method": "GET", "scheme": "http", "raw_path": b"/photos", "client": ("10.1.2.3", 1),
        "query_string": b"prefix=a/&max-keys=10",
        "headers": [(b"user-agent", b"curl"), (b"x-amz-copy-source", b"/b/k")],
    }  # fmt: skip
    request = parse_request(scope, "id", ())
    facts = Facts(request, request.headers)
    assert Condition(operator, key, tuple(values)).holds(facts) is holds
