"""Lifecycle rules: what is accepted, the header of objects, and what expires when."""

from __future__ import annotations

import asyncio
import datetime
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from jetstow.s3.buckets import LOCKS, Buckets
from jetstow.s3.lifecycle.clock import server_time
from jetstow.s3.lifecycle.expire import expire
from jetstow.s3.multipart.uploads import Uploads
from jetstow.s3.settings_lock import SettingsLock
from tests.faults.test_clock_jumps import library
from tests.support.cli import Cli, Process, wait_until
from tests.support.gateway import new_client
from tests.support.served import Served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gateway import RunningGateway
    from tests.support.servers import NatsServer

PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
TAG = {"Key": "keep", "Value": "no"}


def rule(**fields: Any) -> dict[str, Any]:
    return {"ID": "one", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}, **fields}


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def put_rules(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)}
    )


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


SIZES = {"ObjectSizeGreaterThan": 10, "ObjectSizeLessThan": 100}
RULES = [
    without(rule(ID="old form", Prefix="a/"), "Filter"),
    rule(ID="off", Status="Disabled", Filter={"Prefix": ""}),
    rule(ID="tag", Filter={"Tag": TAG}, Expiration={"Date": PAST}),
    rule(ID="size", Filter={"ObjectSizeGreaterThan": 0}),
    rule(ID="all", Filter={"And": {"Prefix": "b/", "Tags": [TAG, {**TAG, "Key": "2"}], **SIZES}}),
    rule(ID="markers", Expiration={"ExpiredObjectDeleteMarker": True}),
    without(
        rule(
            ID="versions",
            NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
            AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7},
        ),
        "Expiration",
    ),
]


def test_rules(s3: Any, s3_bucket: str) -> None:
    put_rules(s3, s3_bucket, *RULES)
    got = s3.get_bucket_lifecycle_configuration(Bucket=s3_bucket)["Rules"]
    got[2]["Expiration"]["Date"] = got[2]["Expiration"]["Date"].astimezone(datetime.UTC)
    assert got == RULES
    put_rules(s3, s3_bucket, without(rule(), "ID"), without(rule(), "ID"))
    got = s3.get_bucket_lifecycle_configuration(Bucket=s3_bucket)["Rules"]
    assert len({each["ID"] for each in got}) == 2
    for _ in range(2):
        s3.delete_bucket_lifecycle(Bucket=s3_bucket)
    with pytest.raises(ClientError) as caught:
        s3.get_bucket_lifecycle_configuration(Bucket=s3_bucket)
    assert code(caught) == "NoSuchLifecycleConfiguration"


REFUSED: list[tuple[str, list[dict[str, Any]]]] = [
    ("MalformedXML", []),
    ("MalformedXML", [rule(Status="enabled")]),
    ("MalformedXML", [without(rule(), "Filter")]),
    ("MalformedXML", [rule(Prefix="a")]),
    ("MalformedXML", [rule(Expiration={"Days": 1, "Date": PAST})]),
    ("MalformedXML", [rule(Expiration={})]),
    ("MalformedXML", [rule(Filter={"Prefix": "a", "Tag": TAG})]),
    ("MalformedXML", [rule(Filter={"And": {"Prefix": "a"}})]),
    ("MalformedXML", [rule(NoncurrentVersionExpiration={"NewerNoncurrentVersions": 1})]),
    ("InvalidRequest", [without(rule(), "Expiration")]),
    ("InvalidRequest", [rule(Filter={"And": {"Prefix": "a", **SIZES, "ObjectSizeLessThan": 10}})]),
    (
        "InvalidRequest",
        [rule(Filter={"Tag": TAG}, Expiration={"ExpiredObjectDeleteMarker": True})],
    ),
    (
        "InvalidRequest",
        [rule(Filter={"Tag": TAG}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})],
    ),
    (
        "InvalidRequest",
        [
            rule(
                Filter={"ObjectSizeLessThan": 1},
                AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1},
            )
        ],
    ),
    ("InvalidTag", [rule(Filter={"Tag": {"Key": "aws:a", "Value": "a"}})]),
    ("InvalidArgument", [rule(ID="a" * 256)]),
    ("InvalidArgument", [rule(), rule(Filter={"Prefix": "a"})]),
    ("InvalidArgument", [rule(Expiration={"Days": 0})]),
    ("InvalidArgument", [rule(Expiration={"Days": -1})]),
    ("InvalidArgument", [rule(Expiration={"Date": PAST + datetime.timedelta(hours=1)})]),
    ("InvalidArgument", [rule(NoncurrentVersionExpiration={"NoncurrentDays": 0})]),
    (
        "InvalidArgument",
        [rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101})],
    ),
    ("InvalidArgument", [rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0})]),
    ("InvalidStorageClass", [rule(Transitions=[{"Days": 1, "StorageClass": "GLACIER"}])]),
    (
        "InvalidStorageClass",
        [
            rule(
                NoncurrentVersionTransitions=[
                    {"NoncurrentDays": days, "StorageClass": "GLACIER"} for days in (1, 2)
                ]
            )
        ],
    ),
]


def test_rules_refused(s3: Any, s3_bucket: str) -> None:
    for expected, rules in REFUSED:
        with pytest.raises(ClientError) as caught:
            put_rules(s3, s3_bucket, *rules)
        assert code(caught) == expected, rules
    with pytest.raises(ClientError) as caught:
        s3.get_bucket_lifecycle_configuration(Bucket=s3_bucket)
    assert code(caught) == "NoSuchLifecycleConfiguration"


def test_expiration_header(s3: Any, s3_bucket: str) -> None:
    """The first midnight after the days: of the rule that lets the object expire first."""
    put_rules(
        s3, s3_bucket,
        rule(ID="later", Expiration={"Days": 3}, Filter={"Prefix": "logs/"}),
        rule(ID="ä b", Expiration={"Days": 2}, Filter={"Prefix": "logs/a"}),
        rule(ID="off", Expiration={"Days": 1}, Status="Disabled"),
        rule(ID="tagged", Expiration={"Days": 1}, Filter={"Tag": TAG}),
    )  # fmt: skip
    put = s3.put_object(Bucket=s3_bucket, Key="logs/abc", Body=b"1")
    head = s3.head_object(Bucket=s3_bucket, Key="logs/abc")
    match = re.fullmatch(r'expiry-date="(.*)", rule-id="(.*)"', head["Expiration"])
    assert match is not None
    date = parsedate_to_datetime(match[1])
    assert date.time() == datetime.time()
    assert 2 * DAY <= date - head["LastModified"] < 3 * DAY
    assert match[2] == "%C3%A4%20b"
    got = s3.get_object(Bucket=s3_bucket, Key="logs/abc")
    assert put["Expiration"] == head["Expiration"] == got["Expiration"]
    s3.put_object(Bucket=s3_bucket, Key="logs/abc", Body=b"1", Tagging="keep=no")
    assert "tagged" in s3.head_object(Bucket=s3_bucket, Key="logs/abc")["Expiration"]
    put_rules(s3, s3_bucket, rule(Filter={"Prefix": "a"}, Expiration={"Days": 2**31 - 1}))
    assert "9999" in s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")["Expiration"]
    assert "Expiration" not in s3.put_object(Bucket=s3_bucket, Key="other", Body=b"1")


async def test_objects_expire(s3: Any, s3_bucket: str, js: Any) -> None:
    """With the filters, at midnight after the days; what is listed and then changed stays."""
    rules = [
        rule(ID="prefix", Filter={"Prefix": "a/"}, Expiration={"Days": 3}),
        rule(ID="tag", Filter={"Tag": TAG}),
        rule(ID="size", Filter={"And": {"Prefix": "", **SIZES}}),
        rule(ID="off", Status="Disabled"),
        rule(ID="past", Filter={"Prefix": "past/"}, Expiration={"Date": PAST}),
    ]

    def fill() -> None:
        put_rules(s3, s3_bucket, *rules)
        for key, size in (("a/1", 1), ("b/1", 1), ("b/11", 11), ("b/100", 100), ("past/a", 1)):
            s3.put_object(Bucket=s3_bucket, Key=key, Body=bytes(size))
        s3.put_object(Bucket=s3_bucket, Key="b/tagged", Body=b"1", Tagging="keep=no&x=y")

    await asyncio.to_thread(fill)
    buckets = Buckets(js)
    bucket, uploads = await buckets.open(s3_bucket), Uploads(buckets)
    now = await server_time(js, s3_bucket)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY

    async def removed(at: datetime.datetime, *, dry_run: bool = False) -> set[tuple[str, str]]:
        found = [each async for each in expire(js, bucket, uploads, at, dry_run=dry_run)]
        return {(each.key, each.rule) for each in found}

    assert await removed(now, dry_run=True) == {("past/a", "past")}
    assert await removed(now) == {("past/a", "past")}
    assert await removed(midnight + DAY - datetime.timedelta(seconds=1)) == set()
    assert await removed(midnight + DAY) == {("b/tagged", "tag"), ("b/11", "size")}
    store = await js.object_store(s3_bucket)
    listing = expire(js, bucket, uploads, midnight + 3 * DAY, dry_run=True)
    assert [each.key async for each in listing] == ["a/1"]
    assert {info.name for info in await store.list()} == {"a/1", "b/1", "b/100"}
    assert await removed(midnight + 3 * DAY) == {("a/1", "prefix")}
    assert {info.name for info in await store.list()} == {"b/1", "b/100"}


async def test_uploads_expire(s3: Any, s3_bucket: str, js: Any) -> None:
    action = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}}

    def begin() -> list[str]:
        put_rules(s3, s3_bucket, without(rule(**action, Filter={"Prefix": "a/"}), "Expiration"))
        ids = []
        for key in ("a/1", "b/1"):
            created = s3.create_multipart_upload(Bucket=s3_bucket, Key=key)
            s3.upload_part(
                Bucket=s3_bucket, Key=key, UploadId=created["UploadId"], PartNumber=1, Body=b"12"
            )
            ids.append(created["UploadId"])
        return ids

    ids = await asyncio.to_thread(begin)
    buckets = Buckets(js)
    bucket, uploads = await buckets.open(s3_bucket), Uploads(buckets)
    now = await server_time(js, s3_bucket)
    assert [each async for each in expire(js, bucket, uploads, now + DAY)] == []
    (removed,) = [each async for each in expire(js, bucket, uploads, now + 3 * DAY)]
    assert (removed.kind, removed.key, removed.rule) == ("upload", "a/1", "one")
    left = await asyncio.to_thread(s3.list_multipart_uploads, Bucket=s3_bucket)
    assert [each["UploadId"] for each in left["Uploads"]] == ids[1:]


async def test_command(
    gateway: RunningGateway, s3: Any, server: NatsServer, s3_bucket: str, js: Any
) -> None:
    cli = Cli(server)

    def fill() -> None:
        put_rules(s3, s3_bucket, rule(Filter={"Prefix": "old/"}, Expiration={"Date": PAST}))
        for key in ("old/a", "old/b", "new"):
            s3.put_object(Bucket=s3_bucket, Key=key, Body=b"1")

    async def run(*arguments: str) -> str:
        return await asyncio.to_thread(cli.out, "lifecycle", "run", s3_bucket, *arguments)

    await asyncio.to_thread(fill)
    assert await run("--dry-run") == (
        f"would remove object {s3_bucket}/old/a (rule one)\n"
        f"would remove object {s3_bucket}/old/b (rule one)\n"
        "would remove 2 objects\n"
    )
    store = await js.object_store(s3_bucket)
    assert len(await store.list()) == 3
    async with SettingsLock(js, LOCKS).try_hold("lifecycle.run", 1) as is_held:
        assert is_held
        error = await asyncio.to_thread(cli.error, 1, "lifecycle", "run", s3_bucket)
        assert "another gateway or command applies the lifecycle rules now" in error
    await run()
    assert [info.name for info in await store.list()] == ["new"]
    assert await asyncio.to_thread(cli.json, "lifecycle", "run", s3_bucket) == []
    assert await run("-n") == "would remove nothing\n"
    await asyncio.to_thread(cli.error, 3, "lifecycle", "run", f"{s3_bucket}-missing")


def test_gateway_applies_rules(server: NatsServer, s3: Any, s3_bucket: str, tmp_path: Path) -> None:
    put_rules(s3, s3_bucket, rule(Filter={"Prefix": "old/"}, Expiration={"Date": PAST}))
    for key in ("old/a", "new"):
        s3.put_object(Bucket=s3_bucket, Key=key, Body=b"1")
    with Served(server.url, home=tmp_path) as served:
        client = new_client(served.url, served.key)
        client.list_buckets()
        wait_until(lambda: s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 1)
    assert s3.head_object(Bucket=s3_bucket, Key="new")["ContentLength"] == 1


def test_clock_of_the_client(server: NatsServer, s3: Any, s3_bucket: str) -> None:
    """It must not matter: a command whose clock is ahead would remove new objects."""
    put_rules(s3, s3_bucket, rule())
    s3.put_object(Bucket=s3_bucket, Key="new", Body=b"1")
    ahead = {
        "NATS_URL": server.url, "LD_PRELOAD": str(library()), "FAKETIME": "+10d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    with Process("lifecycle", "run", s3_bucket, "-n", env=ahead) as process:
        assert process.communicate() == (0, b"would remove nothing\n", "")
