"""The models: nats-py's types with what ADR-20 has beyond them."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.js import api
from nats.js.object_store import ObjectStore as NatsObjectStore

import jetstow
from jetstow import (
    BucketConfig,
    BucketStatus,
    ObjectInfo,
    ObjectLink,
    ObjectMeta,
    ObjectMetaOptions,
    ObjectResult,
)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ObjectMeta, api.ObjectMeta),
        (ObjectInfo, api.ObjectInfo),
        (BucketConfig, api.ObjectStoreConfig),
        (ObjectResult, NatsObjectStore.ObjectResult),
        (BucketStatus, NatsObjectStore.ObjectStoreStatus),
    ],
)
def test_a_model_is_nats_pys_and_takes_its_arguments_in_the_same_order(
    ours: Any, theirs: Any
) -> None:
    assert issubclass(ours, theirs)
    names = [field.name for field in dataclasses.fields(theirs)]
    assert [field.name for field in dataclasses.fields(ours)][: len(names)] == names


def test_what_needs_nothing_more_is_nats_pys_own() -> None:
    assert jetstow.ObjectLink is api.ObjectLink
    assert jetstow.ObjectMetaOptions is api.ObjectMetaOptions
    assert jetstow.Placement is api.Placement
    assert jetstow.StorageType is api.StorageType
    assert jetstow.StoreCompression is api.StoreCompression


def info(**fields: Any) -> ObjectInfo:
    return ObjectInfo(**({"name": "n", "bucket": "b", "nuid": "u"} | fields))


def test_the_meta_of_an_info_is_what_a_user_can_say() -> None:
    known = info(
        description="d",
        headers={"A": ["1"]},
        metadata={"k": "v"},
        options=ObjectMetaOptions(max_chunk_size=10),
        size=7,
    )
    assert known.meta == ObjectMeta(
        name="n",
        description="d",
        headers={"A": ["1"]},
        metadata={"k": "v"},
        options=ObjectMetaOptions(max_chunk_size=10),
    )


def test_a_link_is_one_if_it_leads_somewhere() -> None:
    assert info().link is None
    assert info(options=ObjectMetaOptions(max_chunk_size=10)).link is None
    to_object = info(options=ObjectMetaOptions(link=ObjectLink("b", "other")))
    assert to_object.link == ObjectLink("b", "other")
    assert to_object.is_link()
    assert not info().is_link()


def test_two_infos_do_not_share_what_they_keep() -> None:
    one, other = info(), info()
    one.extra["x"] = 1
    assert other.extra == {}


@pytest.mark.parametrize(
    ("mtime", "modified"),
    [
        (None, None),
        ("", None),
        ("2026-01-02T03:04:05Z", (2026, 1, 2, 3, 4, 5, 0)),
        ("2026-01-02T03:04:05.1Z", (2026, 1, 2, 3, 4, 5, 100_000)),
        ("2026-01-02T03:04:05.123456789Z", (2026, 1, 2, 3, 4, 5, 123_456)),
        ("2026-01-02T03:04:05.000000001Z", (2026, 1, 2, 3, 4, 5, 0)),
        ("2026-01-02T03:04:50Z", (2026, 1, 2, 3, 4, 50, 0)),
    ],
)
def test_the_time_is_a_datetime_too(mtime: str | None, modified: tuple[int, ...] | None) -> None:
    wanted = datetime.datetime(*modified, tzinfo=datetime.UTC) if modified else None  # type: ignore[misc,arg-type]
    assert info(mtime=mtime).modified == wanted


@given(st.datetimes(timezones=st.just(datetime.UTC), min_value=datetime.datetime(1970, 1, 1)))  # noqa: DTZ001
def test_times_of_this_machine_are_read_as_well(time: datetime.datetime) -> None:
    assert info(mtime=time.isoformat().replace("+00:00", "Z")).modified == time


def status(**config: Any) -> BucketStatus:
    stream = api.StreamInfo(
        config=api.StreamConfig(name="OBJ_b", **config),
        state=api.StreamState(messages=3, bytes=100, first_seq=1, last_seq=3, consumer_count=0),
    )
    return BucketStatus(stream, "b")


def test_a_status_tells_of_the_stream() -> None:
    told = status(
        description="d",
        max_age=60.0,
        max_bytes=1000,
        storage=api.StorageType.MEMORY,
        num_replicas=3,
        sealed=True,
        compression=api.StoreCompression.S2,
        metadata={"k": "v", "_nats.level": "1"},
        placement=api.Placement(cluster="c"),
    )
    assert told.bucket == "b"
    assert told.size == 100
    assert (told.description, told.ttl, told.max_bytes) == ("d", 60.0, 1000)
    assert (told.storage_type, told.replicas, told.sealed) == (api.StorageType.MEMORY, 3, True)
    assert told.compressed
    assert told.metadata == {"k": "v"}
    assert told.placement == api.Placement(cluster="c")


def test_a_status_of_a_server_that_says_little() -> None:
    """Servers before 2.10 know of no compression and no metadata."""
    told = status()
    assert told.max_bytes == -1
    assert not told.compressed
    assert told.metadata == {}
    assert told.placement is None
    assert told.created is None
