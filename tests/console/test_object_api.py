"""One object in the console: its metadata, edits, versions and links to share."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import httpx

import jetstow
from tests.support.console import error_code
from tests.support.gateway import OTHER, READER, WRITER

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole


def show(client: ConsoleClient, bucket: str, name: str, **query: str) -> dict[str, Any]:
    response = client.get(f"buckets/{bucket}/object", params={"name": name, **query})
    assert response.status_code == 200, response.text
    fields: dict[str, Any] = response.json()
    return fields


def test_object_of_s3(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    put = s3.put_object(
        Bucket=s3_bucket, Key="a/<b>.html", Body=b"x" * 300_000, ContentType="text/html",
        CacheControl="no-cache", Metadata={"k": "<v>"}, Tagging="t=1",
    )  # fmt: skip
    shown = show(client, s3_bucket, "a/<b>.html")
    assert shown.pop("digest").startswith("SHA-256=")
    assert shown.pop("modified").endswith("Z")
    assert shown.pop("nuid")
    assert shown.pop("revision")
    assert shown.pop("bucket_created") == client.created(s3_bucket)
    assert shown == {
        "name": "a/<b>.html", "size": 300_000, "chunks": 3, "chunk_size": 131_072,
        "content_type": "text/html", "description": None,
        "headers": {"Cache-Control": ["no-cache"]}, "metadata": {"k": "<v>"}, "tags": [],
        "s3_tags": {"t": "1"}, "link": None, "encrypted": False, "expires": None,
        "etag": put["ETag"].strip('"'), "version": None, "latest": True, "retention": None,
        "legal_hold": False, "editable": True, "preview": {"kind": "text", "url": None},
    }  # fmt: skip


async def test_object_of_another_client(client: ConsoleClient, store: jetstow.ObjectStore) -> None:
    await store.put(
        "a.png", b"12", description="d", tags=["x", "y"], headers={"H": ["1", "2"]}, ttl=3600
    )
    shown = show(client, store.bucket, "a.png")
    assert (shown["description"], shown["tags"], shown["headers"]["H"]) == (
        "d", ["x", "y"], ["1", "2"],
    )  # fmt: skip
    assert shown["expires"] is not None
    assert (shown["content_type"], shown["preview"]["kind"]) == ("image/png", "image")
    await store.add_link("link", await store.get_info("a.png"))
    assert show(client, store.bucket, "link")["link"] == {"bucket": store.bucket, "name": "a.png"}
    await store.delete("a.png")
    assert show(client, store.bucket, "link")["link"]["name"] == "a.png", "a broken link"
    for query in ({"name": "a.png"}, {"name": "none"}):
        missing = client.get(f"buckets/{store.bucket}/object", params=query)
        assert (missing.status_code, error_code(missing)) == (404, "NoSuchKey")
    for query in ({}, {"name": ""}, {"name": "x" * 2_000}):
        wrong = client.get(f"buckets/{store.bucket}/object", params=query)
        assert wrong.status_code == 400


async def test_edit(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"x", Metadata={"k": "v"}, Tagging="t=1")
    before = show(client, s3_bucket, "a")

    def edit(**fields: object) -> httpx.Response:
        return client.patch(f"buckets/{s3_bucket}/object?name=a", json=fields)

    edited = edit(
        revision=before["revision"], description="<d>", content_type="text/plain",
        tags=["ü"], headers={"X": ["1", "2"]}, metadata={"new": "ö\n"},
    ).json()  # fmt: skip
    same = ("size", "digest", "nuid", "etag", "s3_tags")
    assert {key: edited[key] for key in same} == {key: before[key] for key in same}
    assert edited["revision"] > before["revision"]
    assert (edited["description"], edited["content_type"]) == ("<d>", "text/plain")
    assert (edited["tags"], edited["headers"]) == (["ü"], {"X": ["1", "2"]})
    assert edited["metadata"] == {"new": "ö\n"}
    assert edited == show(client, s3_bucket, "a")

    stale = edit(revision=before["revision"], description="lost")
    assert (stale.status_code, error_code(stale)) == (409, "Conflict")
    partly = edit(revision=edited["revision"], description=None).json()
    assert (partly["description"], partly["metadata"]) == (None, {"new": "ö\n"})
    revision = partly["revision"]
    for wrong in (
        {"metadata": {"jetstow.s3.owner": "x"}}, {"headers": {"Jetstow-Version": ["x"]}},
        {"headers": {"Content-Type": ["x"]}}, {"headers": {"a b": ["x"]}},
        {"headers": {"X": ["a\r\nset-cookie: x"]}}, {"content_type": "a\r\nb"},
        {"tags": ["a\nb"]}, {"unknown": 1}, {"metadata": {"k": 1}},
        {"metadata": {"k": "x" * 10**6}}, {"s3_tags": {"aws:x": "1"}},
        {"s3_tags": {str(number): "" for number in range(11)}},
    ):  # fmt: skip
        response = edit(revision=revision, **wrong)
        assert response.status_code in (400, 413), wrong
    assert show(client, s3_bucket, "a")["revision"] == revision
    head = s3.head_object(Bucket=s3_bucket, Key="a")
    assert (head["ContentType"], head["ETag"]) == ("text/plain", f'"{before["etag"]}"')


def test_edit_of_tags(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    """A tag that S3 refuses was found after the other fields were stored."""
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"x", Tagging="t=1")
    before = show(client, s3_bucket, "a")

    def edit(**fields: object) -> httpx.Response:
        body = {"revision": before["revision"], **fields}
        return client.patch(f"buckets/{s3_bucket}/object?name=a", json=body)

    refused = edit(description="new", s3_tags={"team": "a&b"})
    assert (refused.status_code, error_code(refused)) == (400, "InvalidTag")
    message = refused.json()["error"]["message"]
    assert message.startswith("S3 tags, 'team': ")
    assert "letters, digits, spaces" in message
    assert show(client, s3_bucket, "a") == before

    both = edit(description="new", s3_tags={"team": "a+b"}).json()
    assert (both["description"], both["s3_tags"]) == ("new", {"team": "a+b"})
    assert s3.get_object_tagging(Bucket=s3_bucket, Key="a")["TagSet"] == [
        {"Key": "team", "Value": "a+b"}
    ]
    # As after PutObjectTagging, LastModified stays.
    only = edit(revision=both["revision"], s3_tags={}).json()
    assert (only["s3_tags"], only["modified"]) == ({}, both["modified"])
    assert only["revision"] > both["revision"]


def test_versions(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"plain")
    path = f"buckets/{s3_bucket}/versions"
    (only,) = client.get(path, params={"name": "a"}).json()["versions"]
    assert (only["version"], only["latest"], only["size"]) == ("null", True, 5)

    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket=s3_bucket, Key="a", Body=bytes(n))["VersionId"] for n in (1, 2)]
    s3.put_object(Bucket=s3_bucket, Key="a/b", Body=b"other")
    marker = s3.delete_object(Bucket=s3_bucket, Key="a")["VersionId"]
    versions = client.get(path, params={"name": "a"}).json()["versions"]
    facts = [(v["version"], v["latest"], v["deleted"], v["size"]) for v in versions]
    assert facts == [
        (marker, True, True, 0), (ids[1], False, False, 2), (ids[0], False, False, 1),
        ("null", False, False, 5),
    ]  # fmt: skip
    old = show(client, s3_bucket, "a", version=ids[0])
    assert (old["size"], old["version"]) == (1, ids[0])
    assert (old["latest"], old["editable"]) == (False, False)
    assert client.get(path, params={"name": "none"}).json() == {"versions": []}
    for version, status in ((marker, 405), ("none", 404), ("../x", 404)):
        query = {"name": "a", "version": version}
        assert client.get(f"buckets/{s3_bucket}/object", params=query).status_code == status


def test_locked_version_is_not_edited(client: ConsoleClient, s3: Any, bucket: str) -> None:
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
    s3.put_object(
        Bucket=bucket, Key="a", Body=b"x", ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=until,
    )  # fmt: skip
    shown = show(client, bucket, "a")
    assert shown["retention"]["mode"] == "governance"
    assert shown["editable"] is False
    body = {"revision": shown["revision"], "description": "x"}
    refused = client.patch(f"buckets/{bucket}/object?name=a", json=body)
    assert (refused.status_code, error_code(refused)) == (403, "AccessDenied")


def test_share(console: RunningConsole, client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    name = "ä b/+&?=%<>.txt"
    s3.put_object(Bucket=s3_bucket, Key=name, Body=b"shared")
    path = f"buckets/{s3_bucket}/share"
    shared = client.post(path, json={"name": name, "seconds": 60}).json()
    assert shared["url"].startswith(f"{console.url}/{s3_bucket}/")
    assert shared["expires"].endswith("Z")
    assert httpx.get(shared["url"]).content == b"shared"
    assert httpx.get(shared["url"] + "0").status_code == 403
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=s3_bucket, Key=name, Body=b"new")
    old = client.post(path, json={"name": name, "version": "null", "seconds": 604_800}).json()
    assert httpx.get(old["url"]).content == b"shared"
    for seconds in (0, -1, 604_801, 10**15):
        assert client.post(path, json={"name": name, "seconds": seconds}).status_code == 400
    missing = client.post(path, json={"name": "none", "seconds": 1})
    assert error_code(missing) == "NoSuchKey"


def test_share_of_names_that_browsers_change(
    client: ConsoleClient, s3: Any, s3_bucket: str
) -> None:
    """Browsers removed the dot segments of the link: it named another object, and was refused."""
    path = f"buckets/{s3_bucket}/share"
    for name in ("a/../b", "./b", "..", "b", "a//b"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=name.encode())
    for name in ("a/../b", "./b", "a//b"):
        shared = client.post(path, json={"name": name, "seconds": 60}).json()
        assert httpx.get(shared["url"]).content == name.encode()  # httpx removes them, too
    refused = client.post(path, json={"name": "..", "seconds": 60})
    assert error_code(refused) == "InvalidArgument"
    assert "Rename" in refused.json()["error"]["message"]


def test_permissions(console: RunningConsole, s3: Any, s3_bucket: str) -> None:
    """Each path needs the permission of its operation of S3."""
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"x", Tagging="t=1")
    pages = ("object", "versions", "text", "table")
    reads = [f"buckets/{s3_bucket}/{each}?name=a" for each in pages]
    reads.append(f"buckets/{s3_bucket}/zip?names=a")
    share = (f"buckets/{s3_bucket}/share", {"name": "a", "seconds": 5})
    for key in (OTHER, WRITER):
        with console.sign_in(key) as other:
            for path in reads:
                assert error_code(other.get(path)) == "AccessDenied", path
            assert error_code(other.post(share[0], json=share[1])) == "AccessDenied"
            # Who may not list does not learn which objects there are.
            missing = other.get(f"buckets/{s3_bucket}/object?name=none")
            assert error_code(missing) == "AccessDenied"
    with console.sign_in(READER) as reader:
        shown = show(reader, s3_bucket, "a")
        assert (shown["editable"], shown["s3_tags"]) == (False, {"t": "1"})
        body = {"revision": shown["revision"], "description": "x"}
        refused = reader.patch(f"buckets/{s3_bucket}/object?name=a", json=body)
        assert error_code(refused) == "AccessDenied"
        for path in reads:
            assert reader.get(path).status_code == 200
    # The owner of the bucket gives one object to another user.
    s3.put_object_acl(Bucket=s3_bucket, Key="a", GrantRead=f"id={OTHER.owner}")
    with console.sign_in(OTHER) as other:
        shown = show(other, s3_bucket, "a")
        assert (shown["editable"], shown["s3_tags"]) == (False, {})
        assert other.get(reads[2]).json()["text"] == "x"
        assert error_code(other.get(reads[1])) == "AccessDenied", "not its versions"


async def test_link_to_a_bucket_of_others(
    console: RunningConsole, s3: Any, s3_bucket: str, js: jetstow.JetStreamContext
) -> None:
    """A link does not give the permission to read what it leads to."""
    s3.put_object(Bucket=s3_bucket, Key="secret", Body=b"x")
    secret = await (await js.object_store(s3_bucket)).get_info("secret")
    store = await js.create_object_store(f"{s3_bucket}-open")
    await store.add_link("link", secret)
    with console.sign_in(OTHER) as other:
        for path in ("text?name=link", "table?name=link", "zip?names=link"):
            refused = other.get(f"buckets/{store.bucket}/{path}")
            assert error_code(refused) == "AccessDenied", path
        assert other.get(f"buckets/{store.bucket}/object?name=link").status_code == 200
    await js.delete_object_store(store.bucket)
