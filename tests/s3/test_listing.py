"""ListObjects, ListObjectsV2 and ListObjectVersions with boto3, and their XML as it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError

from jetstow.s3 import indexes
from jetstow.s3.reserved import ETAG, LISTED_ENTRIES
from tests.support.gateway import OWNER
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def put(s3: Any, bucket: str, keys: Iterable[str]) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())


def keys_of(response: dict[str, Any], name: str = "Contents") -> list[str]:
    return [item["Key"] for item in response.get(name, ())]


def prefixes_of(response: dict[str, Any]) -> list[str]:
    return [item["Prefix"] for item in response.get("CommonPrefixes", ())]


def raw(gateway: RunningGateway, target: str) -> ET.Element:
    return ET.fromstring(send_signed(gateway, "GET", target).body)


def text(root: ET.Element, name: str) -> str | None:
    found = root.find(NAMESPACE + name)
    return None if found is None else found.text or ""


def test_objects_with_their_fields(s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, ["a"])
    (item,) = s3.list_objects(Bucket=s3_bucket)["Contents"]
    head = s3.head_object(Bucket=s3_bucket, Key="a")
    assert item["ETag"] == head["ETag"]
    assert item["Size"] == 1
    assert item["LastModified"].replace(microsecond=0) == head["LastModified"]
    assert item["Owner"] == {"ID": OWNER.owner, "DisplayName": OWNER.display_name}
    assert item["StorageClass"] == "STANDARD"


def test_pages_by_marker(s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, "edcba")
    first = s3.list_objects(Bucket=s3_bucket, MaxKeys=2)
    assert (keys_of(first), first["IsTruncated"]) == (["a", "b"], True)
    assert "NextMarker" not in first
    second = s3.list_objects(Bucket=s3_bucket, Marker="b", MaxKeys=3)
    assert (keys_of(second), second["IsTruncated"]) == (["c", "d", "e"], False)
    assert second["Marker"] == "b"
    assert keys_of(s3.list_objects(Bucket=s3_bucket, Marker="zzz")) == []
    assert keys_of(s3.list_objects(Bucket=s3_bucket, Marker="bb")) == ["c", "d", "e"]


def test_next_marker_is_a_common_prefix(s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, ["asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud", "cquux/bla"])
    first = s3.list_objects(Bucket=s3_bucket, Delimiter="/", MaxKeys=2)
    assert (keys_of(first), prefixes_of(first)) == (["asdf"], ["boo/"])
    assert first["NextMarker"] == "boo/"
    rest = s3.list_objects(Bucket=s3_bucket, Delimiter="/", Marker="boo/")
    assert (keys_of(rest), prefixes_of(rest), rest["IsTruncated"]) == ([], ["cquux/"], False)
    inside = s3.list_objects(Bucket=s3_bucket, Delimiter="/", Prefix="boo/", MaxKeys=1)
    assert (keys_of(inside), inside["NextMarker"]) == (["boo/bar"], "boo/bar")


@pytest.mark.parametrize(
    ("delimiter", "expected"),
    [
        ("a", (["foo"], ["ba", "ca"])),
        ("%", (["bar", "baz", "cab", "foo"], [])),
        (" ", (["bar", "baz", "cab", "foo"], [])),
        ("\n", (["bar", "baz", "cab", "foo"], [])),
        ("ar", (["baz", "cab", "foo"], ["bar"])),
        ("", (["bar", "baz", "cab", "foo"], [])),
    ],
)
def test_delimiter(
    s3: Any, s3_bucket: str, delimiter: str, expected: tuple[list[str], list[str]]
) -> None:
    put(s3, s3_bucket, ["bar", "baz", "cab", "foo"])
    for listing in (s3.list_objects, s3.list_objects_v2):
        response = listing(Bucket=s3_bucket, Delimiter=delimiter)
        assert (keys_of(response), prefixes_of(response)) == expected
        assert response.get("Delimiter", "") == delimiter


@pytest.mark.parametrize(
    ("prefix", "first", "second"),
    [
        ("\n", "\n", "%0A"),
        ("ü d/", "ü d/", "%C3%BC%20d/"),
        ("a+b", "a%2Bb", "a%2Bb"),
        ("%41", "%2541", "%2541"),
        ("\r\x01", "%0D%01", "%0D%01"),
    ],
)
def test_prefix_is_echoed(
    gateway: RunningGateway, s3_bucket: str, prefix: str, first: str, second: str
) -> None:
    """boto3 decodes the prefix of the second version only."""
    target = f"/{s3_bucket}?encoding-type=url&prefix={quote(prefix, safe='')}"
    assert text(raw(gateway, target), "Prefix") == first
    assert text(raw(gateway, f"{target}&list-type=2"), "Prefix") == second


def test_markers_are_echoed_even_if_empty(gateway: RunningGateway, s3_bucket: str) -> None:
    assert text(raw(gateway, f"/{s3_bucket}"), "Marker") == ""
    assert text(raw(gateway, f"/{s3_bucket}?marker="), "Marker") == ""
    root = raw(gateway, f"/{s3_bucket}?list-type=2&continuation-token=&start-after=")
    assert text(root, "ContinuationToken") == ""
    assert text(root, "StartAfter") == ""
    root = raw(gateway, f"/{s3_bucket}?list-type=2")
    assert text(root, "ContinuationToken") is None
    assert text(root, "StartAfter") is None
    assert text(root, "Prefix") == ""


@pytest.mark.parametrize("value", ["blah", "-1", "1.5", "99999999999"])
@pytest.mark.parametrize("kind", ["", "list-type=2&", "versions&"])
def test_max_keys_that_is_no_number(
    gateway: RunningGateway, s3_bucket: str, kind: str, value: str
) -> None:
    response = send_signed(gateway, "GET", f"/{s3_bucket}?{kind}max-keys={value}")
    assert (response.status, response.code) == (400, "InvalidArgument")


def test_max_keys(s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, "ab")
    none = s3.list_objects_v2(Bucket=s3_bucket, MaxKeys=0)
    assert (none["IsTruncated"], none["KeyCount"], none["MaxKeys"]) == (False, 0, 0)
    many = s3.list_objects_v2(Bucket=s3_bucket, MaxKeys=5000)
    assert (many["IsTruncated"], many["KeyCount"], many["MaxKeys"]) == (False, 2, 1000)


def test_pages_by_continuation_token(s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, ["bar", "baz/1", "baz/2", "foo", "quxx"])
    first = s3.list_objects_v2(Bucket=s3_bucket, StartAfter="bar", MaxKeys=1, Delimiter="/")
    assert (prefixes_of(first), first["StartAfter"]) == (["baz/"], "bar")
    token = first["NextContinuationToken"]
    second = s3.list_objects_v2(
        Bucket=s3_bucket, StartAfter="bar", ContinuationToken=token, Delimiter="/"
    )
    assert keys_of(second) == ["foo", "quxx"]
    assert (second["ContinuationToken"], second["StartAfter"]) == (token, "bar")
    assert not second["IsTruncated"]
    with pytest.raises(ClientError, match="InvalidArgument"):
        s3.list_objects_v2(Bucket=s3_bucket, ContinuationToken="not a token")


def test_owner_is_fetched_on_request(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, "a")
    (item,) = s3.list_objects_v2(Bucket=s3_bucket, FetchOwner=True)["Contents"]
    assert item["Owner"]["ID"] == OWNER.owner
    for parameter in ("", "&fetch-owner=", "&fetch-owner=false"):
        root = raw(gateway, f"/{s3_bucket}?list-type=2{parameter}")
        assert root.find(f"{NAMESPACE}Contents/{NAMESPACE}Owner") is None


def test_names_are_url_encoded(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, ["asdf+b", "foo+1/bar", "foo/bar/x", "quux ab/thud", "ü&\x01<"])
    for kind in ("", "list-type=2&", "versions&"):
        target = f"/{s3_bucket}?{kind}encoding-type=url&delimiter=%2F"
        root = raw(gateway, target)
        assert text(root, "EncodingType") == "url"
        assert text(root, "Delimiter") == "/"
        keys = [item.text for item in root.findall(f"*/{NAMESPACE}Key")]
        assert keys == ["asdf%2Bb", "%C3%BC%26%01%3C"]
        prefixes = [
            item.text for item in root.findall(f"{NAMESPACE}CommonPrefixes/{NAMESPACE}Prefix")
        ]
        assert prefixes == ["foo%2B1/", "foo/", "quux%20ab/"]
        assert text(raw(gateway, f"{target}&prefix=a%20%2B"), "Prefix") == "a%20%2B"
    marked = raw(gateway, f"/{s3_bucket}?encoding-type=url&marker=a%20b")
    assert text(marked, "Marker") == "a%20b"
    response = send_signed(gateway, "GET", f"/{s3_bucket}?encoding-type=base64")
    assert (response.status, response.code) == (400, "InvalidArgument")


def test_keys_are_in_the_order_of_utf8(s3: Any, s3_bucket: str) -> None:
    keys = ["\U0001f600", "ﬀ", "ä", "z", "Z", "a/b", "a-b", "a"]
    put(s3, s3_bucket, keys)
    expected = sorted(keys, key=str.encode)
    assert keys_of(s3.list_objects_v2(Bucket=s3_bucket)) == expected


def test_versions_are_null(s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, ["a", "b/1", "b/2", "c"])
    first = s3.list_object_versions(Bucket=s3_bucket, MaxKeys=1)
    (version,) = first["Versions"]
    assert (version["Key"], version["VersionId"], version["IsLatest"]) == ("a", "null", True)
    assert version["Owner"]["ID"] == OWNER.owner
    assert (first["NextKeyMarker"], first["NextVersionIdMarker"]) == ("a", "null")
    rest = s3.list_object_versions(
        Bucket=s3_bucket, KeyMarker="a", VersionIdMarker="null", Delimiter="/"
    )
    assert (keys_of(rest, "Versions"), prefixes_of(rest)) == (["c"], ["b/"])
    with pytest.raises(ClientError, match="version-id marker cannot be specified"):
        s3.list_object_versions(Bucket=s3_bucket, VersionIdMarker="null")
    paginator = s3.get_paginator("list_object_versions")
    pages = paginator.paginate(Bucket=s3_bucket, PaginationConfig={"PageSize": 1})
    assert [key for page in pages for key in keys_of(page, "Versions")] == ["a", "b/1", "b/2", "c"]


async def test_write_of_another_client_is_listed(s3: Any, s3_bucket: str, js: Any) -> None:
    """A list shows every write that was acknowledged before, of any NATS client."""
    store = await js.object_store(s3_bucket)
    for number in range(20):
        name = f"key-{number:02}"
        await store.put(name, b"1")
        assert keys_of(s3.list_objects_v2(Bucket=s3_bucket))[-1] == name
        if number % 2:
            await store.delete(name)
            assert keys_of(s3.list_objects_v2(Bucket=s3_bucket))[-1] != name


async def test_bucket_that_another_client_creates_again(s3: Any, bucket: str, js: Any) -> None:
    s3.create_bucket(Bucket=bucket)
    put(s3, bucket, "ab")
    assert keys_of(s3.list_objects_v2(Bucket=bucket)) == ["a", "b"]
    await js.delete_object_store(bucket)
    store = await js.create_object_store(bucket)
    await store.put("c", b"1")
    assert keys_of(s3.list_objects_v2(Bucket=bucket)) == ["c"]
    s3.delete_object(Bucket=bucket, Key="c")
    s3.delete_bucket(Bucket=bucket)


async def test_index_that_is_used_least(js: Any, bucket: str, monkeypatch: Any) -> None:
    """Of more indexes than the limit, those without a request are closed, and opened again."""
    monkeypatch.setattr(indexes, "_MAX_OPEN", 1)
    stores = [await js.create_object_store(f"{bucket}-{number}") for number in range(2)]
    opened = indexes.Indexes(LISTED_ENTRIES)
    for store in stores:
        await store.put("a", b"1", metadata={ETAG: "x"})
    async with opened.use(stores[0]) as first, opened.use(stores[1]) as second:
        assert [len((await index.page()).entries) for index in (first, second)] == [1, 1]
    async with opened.use(stores[1]) as again:
        assert again is second
        with pytest.raises(ValueError, match="closed"):
            await first.page()
    async with opened.use(stores[0]) as new:
        assert (await new.page()).entries[0].metadata == (None, "x", None, None, None)
    await opened.close()
    for store in stores:
        await js.delete_object_store(store.bucket)
