"""Metadata messages: encoded ones can be decoded, and decoded ones are valid or raise."""

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
from jetstow._core.protocol.metadata import _decode_any, check_meta, decode_info, encode_info
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


def decode(body: bytes | dict[str, Any]) -> ObjectInfo:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_info("b", "n", data, revision=7, mtime="2026-01-02T03:04:05Z")


@given(INFOS)
def test_round_trip(info: ObjectInfo) -> None:
    body = encode_info(info)
    again = decode_info("b", info.name, body, revision=info.revision, mtime=info.mtime)
    assert again == info
    assert encode_info(again) == body


def test_body_is_that_of_adr_20() -> None:
    info = replace(decode(WHOLE), deleted=True)
    body = json.loads(encode_info(info))
    assert list(body.items()) == list((WHOLE | {"deleted": True}).items()), "also their order"
    least = ObjectInfo(name="n", bucket="b", nuid="abc", size=0, chunks=0)
    assert json.loads(encode_info(least)) == {
        "name": "n", "bucket": "b", "nuid": "abc", "size": 0, "chunks": 0,
    }  # fmt: skip


def test_subject_sequence_and_time_override_body() -> None:
    info = decode(WHOLE | {"name": "other", "bucket": "else", "mtime": "never", "revision": 99})
    assert (info.name, info.bucket, info.revision) == ("n", "b", 7)
    assert info.mtime == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("key", [key for key in WHOLE if key != "nuid"])
@pytest.mark.parametrize("absent", ["missing", "null"])
def test_fields_may_be_absent(key: str, absent: str) -> None:
    body = WHOLE | {key: None}
    if absent == "missing":
        del body[key]
    info = decode(body)
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
def test_field_of_wrong_type_raises(key: str) -> None:
    kinds = [kind for kind in (STRINGS, NUMBERS, FLAGS) if kind[0] not in RIGHT[key]]
    for value in [*OTHERS, *(value for kind in kinds for value in kind)]:
        with pytest.raises(BadObjectMetaError, match=key) as caught:
            decode(WHOLE | {key: value})
        assert (caught.value.bucket, caught.value.name) == ("b", "n")
    for value in RIGHT[key]:
        assert getattr(decode(WHOLE | {key: value}), key) == value


@pytest.mark.parametrize("key", ["headers", "metadata", "options"])
def test_mapping_of_wrong_type_raises(key: str) -> None:
    no_mappings = [value for value in OTHERS if not isinstance(value, dict)]
    for value in [*no_mappings, *STRINGS, *NUMBERS, *FLAGS]:
        with pytest.raises(BadObjectMetaError, match=key.rstrip("s")):
            decode(WHOLE | {key: value})


@pytest.mark.parametrize("value", [None, 7, 1.5, True, {}, {"b": "c"}, [7], [None], ["a", []]])
def test_mapping_to_other_types_raises(value: Any) -> None:
    for key in ("headers", "metadata"):
        with pytest.raises(BadObjectMetaError, match=key.rstrip("s")):
            decode(WHOLE | {key: {"a": "fine", "b": value}})


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
def test_options_of_wrong_type_raise(options: object) -> None:
    with pytest.raises(BadObjectMetaError):
        decode(WHOLE | {"options": options})


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
def test_other_bytes_raise(body: bytes) -> None:
    with pytest.raises(BadObjectMetaError) as caught:
        decode(body)
    assert (caught.value.bucket, caught.value.name) == ("b", "n")
    assert "'n' in bucket 'b'" in str(caught.value)


@given(st.binary(max_size=200))
@example(b'{"nuid":"\xff"}')
def test_any_bytes_are_decoded_or_raise(body: bytes) -> None:
    """Invalid UTF-8 in a string raised another error, which ended the whole listing."""
    with suppress(BadObjectMetaError):
        decode(body)


@given(st.dictionaries(st.sampled_from([*WHOLE, "mtime", "other"]), JSON))
def test_any_decoded_json_can_be_encoded(body: dict[str, Any]) -> None:
    try:
        info = decode(WHOLE | body)
    except BadObjectMetaError:
        return
    body_again = encode_info(info)
    assert encode_info(decode(body_again)) == body_again


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


def outcome(decoder: Any, body: bytes) -> tuple[Any, ...]:
    """Return a decoder's result with its types, or the error that it raises."""
    try:
        info: ObjectInfo = decoder(body)
    except BadObjectMetaError as error:
        return (str(error),)
    return info, repr(info), info.extra, type(info.deleted), encode_info(info)


def check_both_decoders(body: bytes) -> None:
    fast = outcome(lambda data: decode_info("b", "n", data, revision=7, mtime="t"), body)
    slow = outcome(lambda data: _decode_any("b", "n", data, 7, "t"), body)
    assert fast == slow


@settings(max_examples=500)
@given(BODIES, st.booleans(), st.booleans())
def test_fast_decoder_equals_slow_decoder(
    body: dict[str, Any], whole: bool, ascii_only: bool
) -> None:
    """Usual metadata takes a path that is ten times as fast, with the same result."""
    full = WHOLE | body if whole else body
    check_both_decoders(json.dumps(full, ensure_ascii=ascii_only).encode(errors="surrogatepass"))


@settings(max_examples=300)
@given(BODIES, st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_damaged_metadata_raises_same_error(
    body: dict[str, Any], position: int, damage: bytes
) -> None:
    data = json.dumps(WHOLE | body).encode()
    check_both_decoders(data[:position] + damage + data[position + len(damage) :])


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
def test_unusual_json_is_decoded_alike(body: bytes) -> None:
    check_both_decoders(body)


@pytest.mark.parametrize(
    "nuid",
    ["", ">", "*", "a.>", "a.*", "a.b", "a b", "a\n", "a\r\nPUB x", "é", "x" * 129, "\x00", "a>"],
)
def test_nuid_with_wildcard_or_token_raises(nuid: str) -> None:
    with pytest.raises(BadObjectMetaError, match="nuid"):
        decode(WHOLE | {"nuid": nuid})
    with pytest.raises(BadObjectMetaError, match="nuid"):
        decode(WHOLE | {"nuid": nuid, "deleted": True})


@pytest.mark.parametrize("more", [{}, {"deleted": True}])
@pytest.mark.parametrize("nuid", [">", "a.b", "x y"])
def test_link_with_invalid_nuid_raises(nuid: str, more: dict[str, Any]) -> None:
    """With `show_deleted`, a deleted link with the NUID ">" returned the chunks of all objects."""
    with pytest.raises(BadObjectMetaError, match="nuid"):
        decode(WHOLE | {"nuid": nuid, "options": {"link": {"bucket": "c"}}} | more)
    with pytest.raises(BadObjectMetaError, match="nuid"):
        decode(WHOLE | {"nuid": "", "chunks": 1, "options": {"link": {"bucket": "c"}}} | more)


def test_link_without_nuid() -> None:
    link = decode({"options": {"link": {"bucket": "c", "name": "x"}}})
    assert link.link == ObjectLink(bucket="c", name="x")
    assert (link.size, link.chunks, link.nuid) == (0, 0, "")


@settings(max_examples=40)
@given(st.dictionaries(TEXT, JSON, max_size=4), st.dictionaries(TEXT, JSON, max_size=4))
def test_unknown_fields_are_kept(fields: dict[str, Any], options: dict[str, Any]) -> None:
    known = {*WHOLE, "mtime"}
    fields = {key: value for key, value in fields.items() if key not in known}
    options = {key: value for key, value in options.items() if key != "link"}
    info = decode(fields | WHOLE | {"options": options | {"max_chunk_size": 10}})
    assert info.options == ObjectMetaOptions(max_chunk_size=10)
    body = json.loads(encode_info(replace(info, description="new")))
    assert {key: body[key] for key in fields} == fields
    assert body["options"] == options | {"max_chunk_size": 10}
    assert body["description"] == "new"


def test_header_values_become_lists() -> None:
    assert decode(WHOLE | {"headers": {"A": "1", "B": ["2", "3"], "C": []}}).headers == {
        "A": ["1"], "B": ["2", "3"], "C": [],
    }  # fmt: skip


# -- metadata of a user ----------------------------------------------------------------------


def test_user_metadata_is_copied() -> None:
    given_meta = ObjectMeta(
        name="else", headers={"A": "1"}, metadata={"k": "v"}, options=ObjectMetaOptions()
    )
    checked = check_meta("b", "n", given_meta)
    assert checked == ObjectMeta(
        name="n", headers={"A": ["1"]}, metadata={"k": "v"}, options=ObjectMetaOptions()
    )
    assert given_meta.name == "else"
    assert checked.options is not given_meta.options
    assert checked.metadata is not given_meta.metadata


def test_metadata_type_of_nats_py() -> None:
    checked = check_meta("b", "n", api.ObjectMeta(description="d", headers={"A": ["1"]}))
    assert checked == ObjectMeta(name="n", description="d", headers={"A": ["1"]})
    assert check_meta("b", "n", None) == ObjectMeta(name="n")


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
def test_user_metadata_without_json_form_raises(meta: Any) -> None:
    """An unpaired surrogate raised in the encoder, after all chunks had been sent."""
    with pytest.raises(InvalidOptionError) as caught:
        check_meta("b", "n", meta)
    assert (caught.value.bucket, caught.value.name) == ("b", "n")
