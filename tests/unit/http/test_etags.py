"""Entity tags, and the comparisons of RFC 9110, 8.8.3.2 and 13.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow import ObjectInfo
from jetstow.http.etags import entity_tag, matches_strongly, matches_weakly

DIGEST = "SHA-256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU="


def test_entity_tag_is_the_digest() -> None:
    info = ObjectInfo(name="a", bucket="b", nuid="N", digest=DIGEST)
    assert entity_tag(info) == f'"{info.sha256}"'
    assert entity_tag(ObjectInfo(name="a", bucket="b", nuid="N", digest="")) == '"N"'


@pytest.mark.parametrize(
    ("condition", "etag", "strongly", "weakly"),
    [
        # The table of RFC 9110, 8.8.3.2.
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
        ('"1"', 'W/"1"', False, True),
        # Lists, and commas in tags.
        ('"0", "1"', '"1"', True, True),
        ('"0","1"', '"1"', True, True),
        ('W/"0" , W/"1"', '"1"', False, True),
        ('"0,1"', '"1"', False, False),
        ('"0,1"', '"0,1"', True, True),
        (',, "1" ,', '"1"', True, True),
        ('""', '""', True, True),
        # Any representation.
        ("*", '"1"', True, True),
        (" * ", '"1"', True, True),
        ("*", 'W/"1"', True, True),
        # Without quotes, as some S3 clients send them.
        ("1", '"1"', True, True),
        ("0, 1", '"1"', True, True),
        # Other values.
        ("", '"1"', False, False),
        ('"1', '"1"', False, False),
        ('w/"1"', '"2"', False, False),
    ],
)
def test_condition(condition: str, etag: str, strongly: bool, weakly: bool) -> None:
    assert matches_strongly(condition, etag) == strongly
    assert matches_weakly(condition, etag) == weakly


@given(st.text())
def test_any_text_is_a_condition(condition: str) -> None:
    matches_strongly(condition, '"1"')
    matches_weakly(condition, '"1"')
