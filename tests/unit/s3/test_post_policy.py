"""The parser of policies: any document is a policy or InvalidPolicyDocument."""

from __future__ import annotations

import base64
import datetime
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow.s3.auth.post_policy import parse_policy
from jetstow.s3.errors import S3Error

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
    | st.sampled_from(["eq", "starts-with", "content-length-range", "$key"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)  # fmt: skip


def encode(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


@given(conditions=st.lists(VALUES, max_size=4))
def test_any_conditions(conditions: list[object]) -> None:
    document = {"expiration": "2026-01-02T03:04:05Z", "conditions": conditions}
    with suppress(S3Error):
        policy = parse_policy(encode(document))
        assert all(len(condition) == 3 for condition in policy.conditions)


@given(data=st.text())
def test_any_text(data: str) -> None:
    with pytest.raises(S3Error, match="InvalidPolicyDocument"):
        parse_policy(data)


def test_deep_document() -> None:
    deep = base64.b64encode(b"[" * 100_000).decode()
    with pytest.raises(S3Error, match="InvalidPolicyDocument"):
        parse_policy(deep)


def test_conditions() -> None:
    document = {
        "expiration": "2026-01-01T00:00:00.000Z",
        "conditions": [{"Bucket": "b"}, ["EQ", "$Key", "k"], ["content-length-range", "1", 5]],
    }
    policy = parse_policy(encode(document))
    assert (policy.min_size, policy.max_size) == (1, 5)
    policy.check({"bucket": "b", "key": "k", "x-ignore-a": "1"}, NOW)
    for fields in ({"bucket": "b"}, {"bucket": "b", "key": "K"}):
        with pytest.raises(S3Error, match="Policy Condition failed"):
            policy.check(fields, NOW)
    with pytest.raises(S3Error, match="Extra input fields: acl"):
        policy.check({"bucket": "b", "key": "k", "acl": "private"}, NOW)
    with pytest.raises(S3Error, match="Policy expired"):
        policy.check({"bucket": "b", "key": "k"}, NOW + datetime.timedelta(seconds=1))
