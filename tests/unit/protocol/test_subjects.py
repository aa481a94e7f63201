"""Valid names, and their subjects, from which the names can be decoded."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.protocol import subjects
from jetstow.errors import InvalidBucketNameError, InvalidObjectNameError

# Any text that UTF-8 can carry.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
BUCKETS = st.from_regex(re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII), fullmatch=True)


@given(BUCKETS)
def test_bucket_and_stream_names_round_trip(bucket: str) -> None:
    assert subjects.check_bucket_name(bucket) == bucket
    assert subjects.bucket_name(subjects.stream_name(bucket)) == bucket


@pytest.mark.parametrize(
    "bucket",
    ["", " ", "a b", "a.b", "a*", "a>", "a/b", "größe", "a\n", "\na", "a\x00", "x" * 252],
)
def test_invalid_bucket_name_raises(bucket: str) -> None:
    with pytest.raises(InvalidBucketNameError) as caught:
        subjects.check_bucket_name(bucket)
    assert caught.value.bucket == bucket


@pytest.mark.parametrize("bucket", [None, 7, b"bytes", ["a"]])
def test_bucket_name_of_other_type_raises(bucket: object) -> None:
    with pytest.raises(InvalidBucketNameError) as caught:
        subjects.check_bucket_name(bucket)
    assert caught.value.bucket is None


@pytest.mark.parametrize("stream", ["KV_a", "OBJ_", "OBJ_a.b", "OBJ_a b", "obj_a", "XOBJ_a", ""])
def test_other_streams_are_not_buckets(stream: str) -> None:
    assert subjects.bucket_name(stream) is None


@given(BUCKETS, TEXT)
def test_name_and_subject_round_trip(bucket: str, name: str) -> None:
    subject = subjects.meta_subject(bucket, subjects.check_object_name(bucket, name))
    prefix = f"$O.{bucket}.M."
    assert subject.startswith(prefix)
    # One token, with no wildcard and nothing that ends a line.
    assert re.fullmatch(r"[A-Za-z0-9_=-]+", subject.removeprefix(prefix), re.ASCII)
    assert subjects.object_name(bucket, subject) == name


@given(TEXT, TEXT)
def test_different_names_have_different_subjects(one: str, other: str) -> None:
    same = subjects.meta_subject("b", one) == subjects.meta_subject("b", other)
    assert same == (one == other)


@pytest.mark.parametrize("bucket", ["b", "b" * 100])
@pytest.mark.parametrize("letter", ["x", "é", "語", "🚀"])
def test_longest_name_has_longest_subject(bucket: str, letter: str) -> None:
    length = 1
    while len(subjects.meta_subject(bucket, letter * (length + 1))) <= subjects.MAX_SUBJECT_LENGTH:
        length += 1
    assert subjects.check_object_name(bucket, letter * length)
    with pytest.raises(InvalidObjectNameError, match="too long") as caught:
        subjects.check_object_name(bucket, letter * (length + 1))
    assert (caught.value.bucket, caught.value.name) == (bucket, letter * (length + 1))


@pytest.mark.parametrize("name", ["", None, 7, b"bytes", "\ud800", "half of a pair \udc00"])
def test_name_that_is_not_text_raises(name: object) -> None:
    with pytest.raises(InvalidObjectNameError) as caught:
        subjects.check_object_name("b", name)
    assert caught.value.bucket == "b"


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda b: b.decode("latin-1"))))
def test_name_of_subject_maps_back_to_it(token: str) -> None:
    """A name that maps to another subject would be listed, but could not be read."""
    subject = f"$O.b.M.{token}"
    name = subjects.object_name("b", subject)
    assert name is None or (name and subjects.meta_subject("b", name) == subject)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("!!!", id="not base64"),
        pytest.param("YQ", id="no padding"),
        pytest.param("YR==", id="another encoding of YQ=="),
        pytest.param("Y Q==", id="a space"),
        pytest.param("YQ==.YQ==", id="two tokens"),
        pytest.param("_w==", id="not UTF-8"),
        pytest.param("7aCA", id="half of a surrogate pair"),
        pytest.param("4pyT7w/=", id="the other alphabet"),
        pytest.param("", id="empty"),
    ],
)
def test_other_encodings_of_a_name_are_ignored(token: str) -> None:
    """Python ignores invalid characters in base64: "!!!" was listed as an object named ""."""
    assert subjects.object_name("b", f"$O.b.M.{token}") is None


def test_subjects_of_other_buckets_have_no_name() -> None:
    subject = subjects.meta_subject("b", "name")
    assert subjects.object_name("b", subject) == "name"
    assert subjects.object_name("bb", subject) is None
    assert subjects.object_name("b", subject.replace(".M.", ".C.")) is None
    assert subjects.object_name("b", "") is None
    assert subjects.object_name("b", "YQ==") is None, "a subject needs the prefix of the bucket"


def test_subjects_are_those_of_adr_20() -> None:
    token = base64.urlsafe_b64encode(b"my file?").decode()
    assert subjects.stream_name("b") == "OBJ_b"
    assert subjects.meta_subject("b", "my file?") == f"$O.b.M.{token}"
    assert subjects.chunk_subject("b", "NUID") == "$O.b.C.NUID"
    assert (subjects.all_meta_subject("b"), subjects.all_chunks_subject("b")) == (
        "$O.b.M.>",
        "$O.b.C.>",
    )
