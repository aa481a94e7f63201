"""Metadata on the wire: what is written can be read, and whatever is read is sound or refused."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nats.js import api

from jetstow import ObjectInfo, ObjectLink, ObjectMeta, ObjectMetaOptions
from jetstow._core.protocol.metadata import _decode_any, checked_meta, decode_info, encode_info
from jetstow.errors import BadObjectMetaError, InvalidOptionError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNTS = st.integers(0, 2**63 - 1)
NUIDS = st.text("abcXYZ019_-", min_size=1, max_size=22)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=4,
)  # fmt: skip
OPTIONS = st.builds(
    ObjectMetaOptions,
    link=st.none() | st.builds(ObjectLink, bucket=st.just("b"), name=st.none() | TEXT.filter(bool)),
    max_chunk_size=st.none() | st.integers(1, 2**63 - 1),
)
INFOS = st.builds(
    ObjectInfo,
    name=TEXT.filter(bool),
    bucket=st.just("b"),
    nuid=NUIDS,
    size=COUNTS,
    chunks=COUNTS,
    digest=TEXT,
    deleted=st.booleans(),
    description=st.none() | TEXT.filter(bool),
    headers=st.none() | st.dictionaries(TEXT, st.lists(TEXT, max_size=3), min_size=1, max_size=3),
    metadata=st.none() | st.dictionaries(TEXT, TEXT, min_size=1, max_size=3),
    options=st.none() | OPTIONS.filter(lambda options: options != ObjectMetaOptions()),
    revision=COUNTS,
    mtime=st.just("2026-01-02T03:04:05Z"),
)

# What ADR-20 names, as a healthy object has it.
WHOLE: dict[str, Any] = {
    "name": "n",
    "description": "d",
    "headers": {"A": ["1", "2"]},
    "metadata": {"k": "v"},
    "options": {"max_chunk_size": 10},
    "bucket": "b",
    "nuid": "abc",
    "size": 3,
    "chunks": 1,
    "digest": "SHA-256=x",
    "deleted": False,
}


def read(body: bytes | dict[str, Any]) -> ObjectInfo:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_info("b", "n", data, revision=7, mtime="2026-01-02T03:04:05Z")


@given(INFOS)
def test_what_is_written_is_read_again(info: ObjectInfo) -> None:
    body = encode_info(info)
    again = decode_info("b", info.name, body, revision=info.revision, mtime=info.mtime)
    assert again == info
    assert encode_info(again) == body


def test_the_body_is_that_of_adr_20() -> None:
    info = replace(read(WHOLE), deleted=True)
    body = json.loads(encode_info(info))
    assert list(body.items()) == list((WHOLE | {"deleted": True}).items()), "also their order"
    least = ObjectInfo(name="n", bucket="b", nuid="abc", size=0, chunks=0)
    assert json.loads(encode_info(least)) == {
        "name": "n", "bucket": "b", "nuid": "abc", "size": 0, "chunks": 0,
    }  # fmt: skip


def test_the_subject_the_sequence_and_the_stamp_decide_over_the_body() -> None:
    info = read(WHOLE | {"name": "other", "bucket": "else", "mtime": "never", "revision": 99})
    assert (info.name, info.bucket, info.revision) == ("n", "b", 7)
    assert info.mtime == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("key", [key for key in WHOLE if key != "nuid"])
@pytest.mark.parametrize("absent", ["missing", "null"])
def test_a_field_may_be_absent(key: str, absent: str) -> None:
    body = WHOLE | {key: None}
    if absent == "missing":
        del body[key]
    info = read(body)
    assert info.name == "n"
    assert info.bucket == "b"
    if key not in {"name", "bucket"}:
        assert not getattr(info, key)


STRINGS: list[Any] = ["text", "größe"]
NUMBERS: list[Any] = [0, 7, 2**63 - 1]
FLAGS: list[Any] = [True, False]
OTHERS: list[Any] = [-1, 2**63, 10**40, 1.5, 1e300, [], ["text"], {}, {"a": None}, {"a": {"a": 7}}]
RIGHT = {
    "description": STRINGS,
    "digest": STRINGS,
    "deleted": FLAGS,
    "size": NUMBERS,
    "chunks": NUMBERS,
    "nuid": ["text"],
}


@pytest.mark.parametrize("key", RIGHT)
def test_a_field_of_the_wrong_type_is_refused(key: str) -> None:
    kinds = [kind for kind in (STRINGS, NUMBERS, FLAGS) if kind[0] not in RIGHT[key]]
    for value in [*OTHERS, *(value for kind in kinds for value in kind)]:
        with pytest.raises(BadObjectMetaError, match=key) as caught:
            read(WHOLE | {key: value})
        assert (caught.value.bucket, caught.value.name) == ("b", "n")
    for value in RIGHT[key]:
        assert getattr(read(WHOLE | {key: value}), key) == value


@pytest.mark.parametrize("key", ["headers", "metadata", "options"])
def test_a_field_that_is_a_mapping_is_one_or_is_refused(key: str) -> None:
    no_mappings = [value for value in OTHERS if not isinstance(value, dict)]
    for value in [*no_mappings, *STRINGS, *NUMBERS, *FLAGS]:
        with pytest.raises(BadObjectMetaError, match=key.rstrip("s")):
            read(WHOLE | {key: value})


@pytest.mark.parametrize("value", [None, 7, 1.5, True, {}, {"b": "c"}, [7], [None], ["a", []]])
def test_headers_and_metadata_map_to_strings(value: Any) -> None:
    for key in ("headers", "metadata"):
        with pytest.raises(BadObjectMetaError, match=key.rstrip("s")):
            read(WHOLE | {key: {"a": "fine", "b": value}})


@pytest.mark.parametrize(
    "options",
    [
        {"link": 7},
        {"link": {}},
        {"link": {"name": "x"}},
        {"link": {"bucket": 7}},
        {"link": {"bucket": ""}},
        {"link": {"bucket": "b", "name": 7}},
        {"link": {"bucket": "a.b"}},
        {"link": {"bucket": "*", "name": "x"}},
        {"link": {"bucket": "b", "name": "x" * 4000}},
        {"link": []},
        {"max_chunk_size": "10"},
        {"max_chunk_size": -1},
        {"max_chunk_size": 1.5},
        {"max_chunk_size": [10]},
    ],
)
def test_options_of_the_wrong_shape_are_refused(options: object) -> None:
    with pytest.raises(BadObjectMetaError):
        read(WHOLE | {"options": options})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b'"text"',
        b"{",
        b"{}",
        b"\xff not JSON",
        b'{"nuid": "\xff"}',
        b'{"\xff": "x", "nuid": "abc"}',
        b'{"nuid": "abc", "description": "\\ud800"}',
        b'{"nuid": "abc", "size": NaN}',
        b'{"nuid": "abc", "size": Infinity}',
        b'{"nuid": "abc", "size": 1e999}',
        b'{"nuid": "abc", "size": ' + b"9" * 5000 + b"}",
        b'{"nuid": "abc", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"nuid": "abc"} and more',
        b"\x00" * 100,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_no_metadata_is_refused(body: bytes) -> None:
    with pytest.raises(BadObjectMetaError) as caught:
        read(body)
    assert (caught.value.bucket, caught.value.name) == ("b", "n")
    assert "'n' in bucket 'b'" in str(caught.value)


@given(st.binary(max_size=200))
@example(b'{"nuid":"\xff"}')
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Bad UTF-8 inside a string was an error of another kind, and ended a whole listing."""
    with suppress(BadObjectMetaError):
        read(body)


@given(st.dictionaries(st.sampled_from([*WHOLE, "mtime", "other"]), JSON))
def test_any_json_is_read_or_refused_and_can_be_written_again(body: dict[str, Any]) -> None:
    try:
        info = read(WHOLE | body)
    except BadObjectMetaError:
        return
    written = encode_info(info)
    assert encode_info(read(written)) == written


ODD = st.sampled_from([*STRINGS, *NUMBERS, *FLAGS, *OTHERS, None, "", -0.0])
SHAPES = st.sampled_from(
    [
        {"A": "1"},
        {"A": ["1", "2"]},
        {"A": [1]},
        {"max_chunk_size": 7},
        {"max_chunk_size": 0, "x": 1},
        {"link": {"bucket": "c"}},
    ]
)
BODIES = st.dictionaries(st.sampled_from([*WHOLE, "mtime", "other"]), ODD | SHAPES | JSON)


def told(decode: Any, body: bytes) -> tuple[Any, ...]:
    """What a decoder makes of metadata, types and all, or the error that it raises."""
    try:
        info: ObjectInfo = decode(body)
    except BadObjectMetaError as error:
        return (str(error),)
    return info, repr(info), info.extra, type(info.deleted), encode_info(info)


def check_both_ways(body: bytes) -> None:
    fast = told(lambda data: decode_info("b", "n", data, revision=7, mtime="t"), body)
    slow = told(lambda data: _decode_any("b", "n", data, 7, "t"), body)
    assert fast == slow


@settings(max_examples=500)
@given(BODIES, st.booleans(), st.booleans())
def test_usual_metadata_is_decoded_as_any_other(
    body: dict[str, Any], whole: bool, ascii_only: bool
) -> None:
    """It is decoded in another way, ten times as fast; nobody may see the difference."""
    full = WHOLE | body if whole else body
    check_both_ways(json.dumps(full, ensure_ascii=ascii_only).encode(errors="surrogatepass"))


@settings(max_examples=300)
@given(BODIES, st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_damaged_metadata_is_refused_in_the_same_words(
    body: dict[str, Any], where: int, what: bytes
) -> None:
    data = json.dumps(WHOLE | body).encode()
    check_both_ways(data[:where] + what + data[where + len(what) :])


@pytest.mark.parametrize(
    "body",
    [
        b'{"nuid": "a", "nuid": "b", "size": 1, "size": 2}',
        b'{"nuid": "a", "size": "1", "size": 2}',
        b'{"nuid": "a", "headers": {"A": "1", "A": ["2"]}}',
        b'{"nuid": "a", "options": {"max_chunk_size": 1, "max_chunk_size": 2}}',
        b'{"nuid": "a", "description": "\\ud83d\\ude80 \\u0000"}',
        b' {"nuid" : "a"} ',
        b'{"nuid": "a", "size": 1.0}',
        b'{"nuid": "a", "size": 1e2}',
        b'{"nuid": "a", "options": {}, "headers": {}, "metadata": {}}',
    ],
)
def test_odd_spellings_are_decoded_alike(body: bytes) -> None:
    check_both_ways(body)


@pytest.mark.parametrize(
    "nuid",
    ["", ">", "*", "a.>", "a.*", "a.b", "a b", "a\n", "a\r\nPUB x", "é", "x" * 129, "\x00", "a>"],
)
def test_a_nuid_that_could_reach_other_chunks_is_refused(nuid: str) -> None:
    with pytest.raises(BadObjectMetaError, match="nuid"):
        read(WHOLE | {"nuid": nuid})
    with pytest.raises(BadObjectMetaError, match="nuid"):
        read(WHOLE | {"nuid": nuid, "deleted": True})


@pytest.mark.parametrize("more", [{}, {"deleted": True}])
@pytest.mark.parametrize("nuid", [">", "a.b", "x y"])
def test_a_link_has_no_wrong_nuid_either(nuid: str, more: dict[str, Any]) -> None:
    """Asked for with `show_deleted`, a deleted link with the nuid ">" was read from everybody's
    chunks."""
    with pytest.raises(BadObjectMetaError, match="nuid"):
        read(WHOLE | {"nuid": nuid, "options": {"link": {"bucket": "c"}}} | more)
    with pytest.raises(BadObjectMetaError, match="nuid"):
        read(WHOLE | {"nuid": "", "chunks": 1, "options": {"link": {"bucket": "c"}}} | more)


def test_a_link_needs_no_nuid() -> None:
    link = read({"options": {"link": {"bucket": "c", "name": "x"}}})
    assert link.link == ObjectLink(bucket="c", name="x")
    assert (link.size, link.chunks, link.nuid) == (0, 0, "")


@settings(max_examples=40)
@given(st.dictionaries(TEXT, JSON, max_size=4), st.dictionaries(TEXT, JSON, max_size=4))
def test_unknown_fields_are_kept(fields: dict[str, Any], options: dict[str, Any]) -> None:
    known = {*WHOLE, "mtime"}
    fields = {key: value for key, value in fields.items() if key not in known}
    options = {key: value for key, value in options.items() if key != "link"}
    info = read(fields | WHOLE | {"options": options | {"max_chunk_size": 10}})
    assert info.options == ObjectMetaOptions(max_chunk_size=10)
    body = json.loads(encode_info(replace(info, description="new")))
    assert {key: body[key] for key in fields} == fields
    assert body["options"] == options | {"max_chunk_size": 10}
    assert body["description"] == "new"


def test_header_values_are_lists_whoever_wrote_them() -> None:
    assert read(WHOLE | {"headers": {"A": "1", "B": ["2", "3"], "C": []}}).headers == {
        "A": ["1"], "B": ["2", "3"], "C": [],
    }  # fmt: skip


# -- what a user says ------------------------------------------------------------------------


def test_a_users_meta_is_copied() -> None:
    given_meta = ObjectMeta(
        name="else", headers={"A": "1"}, metadata={"k": "v"}, options=ObjectMetaOptions()
    )
    checked = checked_meta("b", "n", given_meta)
    assert checked == ObjectMeta(
        name="n", headers={"A": ["1"]}, metadata={"k": "v"}, options=ObjectMetaOptions()
    )
    assert given_meta.name == "else"
    assert checked.options is not given_meta.options
    assert checked.metadata is not given_meta.metadata


def test_nats_pys_meta_is_as_good() -> None:
    checked = checked_meta("b", "n", api.ObjectMeta(description="d", headers={"A": ["1"]}))
    assert checked == ObjectMeta(name="n", description="d", headers={"A": ["1"]})
    assert checked_meta("b", "n", None) == ObjectMeta(name="n")


HALF = "half of a pair \ud800"


@pytest.mark.parametrize(
    "meta",
    [
        "text",
        {"description": "d"},
        7,
        ObjectMeta(options={"max_chunk_size": 10}),  # type: ignore[arg-type]
        ObjectMeta(description=HALF),
        ObjectMeta(headers={HALF: "x"}),
        ObjectMeta(headers={"x": [HALF]}),
        ObjectMeta(metadata={HALF: "x"}),
        ObjectMeta(metadata={"x": HALF}),
        ObjectMeta(description=7),  # type: ignore[arg-type]
        ObjectMeta(headers={"x": b"bytes"}),
        ObjectMeta(metadata={"x": 7}),  # type: ignore[dict-item]
    ],
    ids=ascii,
)
def test_a_users_meta_that_json_cannot_carry_is_refused(meta: Any) -> None:
    """Half a surrogate pair was found out by the encoder, when all chunks had been sent."""
    with pytest.raises(InvalidOptionError) as caught:
        checked_meta("b", "n", meta)
    assert (caught.value.bucket, caught.value.name) == ("b", "n")
