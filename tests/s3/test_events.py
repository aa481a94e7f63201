"""Events: a message in NATS for each change of an object, by any NATS client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import nats
import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

import jetstow
from jetstow.s3.events.publisher import publishing
from tests.support.gateway import OWNER
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway
    from tests.support.servers import NatsServer

T = TypeVar("T")
TOPIC = "arn:aws:sns:::jetstow"
ALL = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put"]


def configure(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    topics = [{"TopicArn": TOPIC, "Events": ALL, **rule} for rule in rules]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": topics}
    )


def key_filter(**parts: str) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in parts.items()]
    return {"Key": {"FilterRules": rules}}


class Events:
    """What a plain NATS client receives on the subjects of a bucket."""

    def __init__(self, subscription: Any) -> None:
        self._subscription = subscription

    async def next(self) -> dict[str, Any]:
        message = await self._subscription.next_msg(timeout=20)
        (record,) = json.loads(message.data)["Records"]
        assert message.subject.split(".", 3)[3] == record["eventName"].replace(":", ".")
        return {**record, "id": message.headers["Nats-Msg-Id"]}

    async def names(self, count: int) -> list[tuple[str, str]]:
        found = [await self.next() for _ in range(count)]
        return [(each["eventName"], each["s3"]["object"]["key"]) for each in found]


@pytest_asyncio.fixture
async def nc(server: NatsServer) -> AsyncIterator[jetstow.Client]:
    async with jetstow.connect(server.url) as client, publishing(client, client.jetstream()):
        yield client


@pytest_asyncio.fixture
async def events(server: NatsServer, s3_bucket: str) -> AsyncIterator[Events]:
    plain = await nats.connect(server.url)
    yield Events(await plain.subscribe(f"jetstow.s3.{s3_bucket}.>"))
    await plain.close()


async def test_events_of_s3(
    gateway: RunningGateway, s3: Any, s3_bucket: str, nc: jetstow.Client, events: Events
) -> None:
    def write() -> None:
        configure(s3, s3_bucket, {"Id": "all"})
        s3.put_object(Bucket=s3_bucket, Key="a b/é", Body=b"hello")
        source = {"Bucket": s3_bucket, "Key": "a b/é"}
        s3.copy_object(Bucket=s3_bucket, Key="copy", CopySource=source)
        s3.copy_object(
            Bucket=s3_bucket, Key="copy", CopySource=f"{s3_bucket}/copy", Metadata={"a": "1"},
            MetadataDirective="REPLACE",
        )  # fmt: skip
        tags = {"TagSet": [{"Key": "done", "Value": "1"}]}
        s3.put_object_tagging(Bucket=s3_bucket, Key="copy", Tagging=tags)
        s3.delete_object_tagging(Bucket=s3_bucket, Key="copy")
        s3.put_object_acl(Bucket=s3_bucket, Key="copy", ACL="public-read")
        form = s3.generate_presigned_post(s3_bucket, "form")
        httpx.post(form["url"], data=form["fields"], files={"file": b"x"}).raise_for_status()
        upload = s3.create_multipart_upload(Bucket=s3_bucket, Key="parts")["UploadId"]
        part = s3.upload_part(
            Bucket=s3_bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"12"
        )
        s3.complete_multipart_upload(
            Bucket=s3_bucket, Key="parts", UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )  # fmt: skip
        s3.delete_object(Bucket=s3_bucket, Key="copy")
        s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": [{"Key": "form"}]})

    await asyncio.to_thread(write)
    first = await events.next()
    revision = int(first["id"].rpartition(".")[2])
    time = first.pop("eventTime")
    assert time.endswith("Z")
    assert first == {
        "id": f"{s3_bucket}.{revision}",
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": OWNER.user},
        "requestParameters": {"sourceIPAddress": ""},
        "responseElements": {"x-amz-request-id": "", "x-amz-id-2": ""},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "all",
            "bucket": {
                "name": s3_bucket,
                "ownerIdentity": {"principalId": OWNER.user},
                "arn": f"arn:aws:s3:::{s3_bucket}",
            },
            "object": {
                "key": "a+b/%C3%A9",
                "size": 5,
                "eTag": "5d41402abc4b2a76b9719d911017c592",
                "sequencer": f"{revision:016X}",
            },
        },
    }
    assert await events.names(9) == [
        ("ObjectCreated:Copy", "copy"),
        ("ObjectCreated:Copy", "copy"),
        ("ObjectTagging:Put", "copy"),
        ("ObjectTagging:Delete", "copy"),
        ("ObjectAcl:Put", "copy"),
        ("ObjectCreated:Post", "form"),
        ("ObjectCreated:CompleteMultipartUpload", "parts"),
        ("ObjectRemoved:Delete", "copy"),
        ("ObjectRemoved:Delete", "form"),
    ]


async def test_events_of_other_clients(
    server: NatsServer, s3: Any, s3_bucket: str, nc: jetstow.Client, events: Events
) -> None:
    await asyncio.to_thread(configure, s3, s3_bucket, {})
    plain = await nats.connect(server.url)
    theirs = await plain.jetstream().object_store(s3_bucket)
    store = await nc.jetstream().object_store(s3_bucket)
    await theirs.put("theirs", b"1")
    await theirs.delete("theirs")
    await store.put("ours", b"2")
    await asyncio.to_thread(
        s3.put_object_tagging, Bucket=s3_bucket, Key="ours", Tagging={"TagSet": []}
    )
    tags = {"TagSet": [{"Key": "done", "Value": "1"}]}
    await asyncio.to_thread(s3.put_object_tagging, Bucket=s3_bucket, Key="ours", Tagging=tags)
    info = await store.get_info("ours")
    # The note of the gateway that the tags were changed is in this metadata, too.
    await store.update_meta("ours", info.meta)
    await store.rename("ours", "renamed")
    await store.delete("renamed")
    assert await events.names(8) == [
        ("ObjectCreated:Put", "theirs"),
        ("ObjectRemoved:Delete", "theirs"),
        ("ObjectCreated:Put", "ours"),
        ("ObjectTagging:Put", "ours"),
        ("ObjectCreated:Put", "ours"),
        ("ObjectCreated:Copy", "renamed"),
        ("ObjectRemoved:Delete", "ours"),
        ("ObjectRemoved:Delete", "renamed"),
    ]
    await plain.close()


async def test_filters(s3: Any, s3_bucket: str, nc: jetstow.Client, events: Events) -> None:
    """Filters that overlap, and changes that take effect with the response."""
    images = {
        "Id": "images",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": key_filter(prefix="in/", suffix=".jpg"),
    }
    removed = {"Id": "removed", "Events": ["s3:ObjectRemoved:Delete"]}

    def write() -> None:
        configure(s3, s3_bucket, images, removed)
        got = s3.get_bucket_notification_configuration(Bucket=s3_bucket)["TopicConfigurations"]
        assert got[1] == {"TopicArn": TOPIC, **removed}
        assert [rule["Name"] for rule in got[0]["Filter"]["Key"]["FilterRules"]] == [
            "prefix", "suffix",
        ]  # fmt: skip
        for key in ("in/a.png", "in/b.jpg", "out/c.jpg"):
            s3.put_object(Bucket=s3_bucket, Key=key, Body=b"1")
        s3.delete_object(Bucket=s3_bucket, Key="out/c.jpg")

    await asyncio.to_thread(write)
    found = [await events.next() for _ in range(2)]
    assert [(each["s3"]["configurationId"], each["s3"]["object"]["key"]) for each in found] == [
        ("images", "in/b.jpg"),
        ("removed", "out/c.jpg"),
    ]

    def change() -> None:
        configure(s3, s3_bucket)
        s3.put_object(Bucket=s3_bucket, Key="in/d.jpg", Body=b"1")
        empty = s3.get_bucket_notification_configuration(Bucket=s3_bucket)
        assert "TopicConfigurations" not in empty
        configure(s3, s3_bucket, {"Filter": key_filter(Suffix=".png")})
        s3.put_object(Bucket=s3_bucket, Key="e.jpg", Body=b"1")
        s3.put_object(Bucket=s3_bucket, Key="f.png", Body=b"1")

    await asyncio.to_thread(change)
    assert await events.names(1) == [("ObjectCreated:Put", "f.png")]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"QueueConfigurations": [{"QueueArn": TOPIC, "Events": ALL}]}, "QueueConfiguration"),
    ({"LambdaFunctionConfigurations": [{"LambdaFunctionArn": TOPIC, "Events": ALL}]}, "CloudFun"),
    ({"EventBridgeConfiguration": {}}, "EventBridgeConfiguration"),
    ({"TopicConfigurations": [{"TopicArn": "arn:aws:sns:::x", "Events": ALL}]}, TOPIC),
    (
        {"TopicConfigurations": [{"TopicArn": TOPIC, "Events": ["s3:ObjectRestore:Post"]}]},
        "s3:ObjectRestore:Post",
    ),
    (
        {
            "TopicConfigurations": [
                {"TopicArn": TOPIC, "Events": ALL, "Filter": key_filter(other="a")}
            ]
        },
        "prefix or suffix",
    ),
    (
        {
            "TopicConfigurations": [
                {
                    "TopicArn": TOPIC,
                    "Events": ALL,
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "a"}] * 2}},
                }
            ]
        },
        "more than one prefix",
    ),
    (
        {
            "TopicConfigurations": [
                {"TopicArn": TOPIC, "Events": ALL, "Filter": key_filter(prefix="a")},
                {
                    "TopicArn": TOPIC,
                    "Events": ["s3:ObjectCreated:Put"],
                    "Filter": key_filter(prefix="a/b"),
                },
            ]
        },
        "ambiguously",
    ),
]


def test_events_that_are_there_many_times(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    """Each of a rule was compared with each of the others, and other requests waited."""
    rules = "".join(
        f"<TopicConfiguration><Topic>{TOPIC}</Topic>{f'<Event>{event}</Event>' * 20_000}"
        "</TopicConfiguration>"
        for event in ("s3:ObjectCreated:Put", "s3:ObjectAcl:Put")
    )
    body = f"<NotificationConfiguration>{rules}</NotificationConfiguration>".encode()
    assert send_signed(gateway, "PUT", f"/{s3_bucket}?notification", body=body).status == 200
    configuration = s3.get_bucket_notification_configuration(Bucket=s3_bucket)
    events = [each["Events"] for each in configuration["TopicConfigurations"]]
    assert events == [["s3:ObjectCreated:Put"], ["s3:ObjectAcl:Put"]]


def test_configuration_refused(s3: Any, s3_bucket: str) -> None:
    for configuration, part in REFUSED:
        with pytest.raises(ClientError) as caught:
            s3.put_bucket_notification_configuration(
                Bucket=s3_bucket, NotificationConfiguration=configuration
            )
        error = caught.value.response["Error"]
        assert error["Code"] == "InvalidArgument", configuration
        assert part in error["Message"]
    got = s3.get_bucket_notification_configuration(Bucket=s3_bucket)
    assert set(got) == {"ResponseMetadata"}


async def test_events_of_versions(
    s3: Any, s3_bucket: str, nc: jetstow.Client, events: Events
) -> None:
    """A version that is kept, and the one that becomes current again, are no events."""
    await asyncio.to_thread(configure, s3, s3_bucket, {})
    store = await nc.jetstream().update_object_store(s3_bucket, versioned=True)
    found: list[dict[str, Any]] = []

    async def following(change: Awaitable[T]) -> T:
        """Change the name, and wait for the event: another change may come before it."""
        result = await change
        found.append(await events.next())
        return result

    first = (await following(store.put("a", b"1"))).version
    second = (await following(store.put("a", b"2"))).version
    third = (await following(store.put("a", b"3"))).version
    await following(store.delete("a", version=second))
    await following(store.delete("a", version=third))  # the first one is the current one then
    assert (await store.get("a")).data == b"1"
    await following(store.delete("a"))
    marker = (await store.versions("a"))[0].version
    await following(store.restore_version("a", str(first)))
    await following(store.delete("a", version=marker))
    await following(store.delete("a", version=first))
    assert await store.versions("a") == []
    await following(store.put("end", b"1"))
    assert [(each["eventName"], each["s3"]["object"]["versionId"]) for each in found[:-1]] == [
        ("ObjectCreated:Put", first),
        ("ObjectCreated:Put", second),
        ("ObjectCreated:Put", third),
        ("ObjectRemoved:Delete", second),
        ("ObjectRemoved:Delete", third),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("ObjectCreated:Copy", first),
        ("ObjectRemoved:Delete", marker),
        ("ObjectRemoved:Delete", first),
    ]
    assert {each["s3"]["object"]["key"] for each in found[:-1]} == {"a"}
    assert found[-1]["s3"]["object"]["key"] == "end"
    await nc.jetstream().delete_object_store(s3_bucket)  # with its versions
