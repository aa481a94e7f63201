"""The models: nats-py's types with the fields of ADR-20 that they lack."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import pickle
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
def test_models_extend_nats_py_types(ours: Any, theirs: Any) -> None:
    assert issubclass(ours, theirs)
    names = [field.name for field in dataclasses.fields(theirs)]
    assert [field.name for field in dataclasses.fields(ours)][: len(names)] == names


def test_reexported_nats_py_types() -> None:
    assert jetstow.ObjectLink is api.ObjectLink
    assert jetstow.ObjectMetaOptions is api.ObjectMetaOptions
    assert jetstow.Placement is api.Placement
    assert jetstow.StorageType is api.StorageType
    assert jetstow.StoreCompression is api.StoreCompression


def info(**fields: Any) -> ObjectInfo:
    return ObjectInfo(**({"name": "n", "bucket": "b", "nuid": "u"} | fields))


def test_meta_of_an_info() -> None:
    stored = info(
        description="d",
        headers={"A": ["1"]},
        metadata={"k": "v"},
        options=ObjectMetaOptions(max_chunk_size=10),
        size=7,
    )
    assert stored.meta == ObjectMeta(
        name="n",
        description="d",
        headers={"A": ["1"]},
        metadata={"k": "v"},
        options=ObjectMetaOptions(max_chunk_size=10),
    )


def test_link_of_an_info() -> None:
    assert info().link is None
    assert info(options=ObjectMetaOptions(max_chunk_size=10)).link is None
    to_object = info(options=ObjectMetaOptions(link=ObjectLink("b", "other")))
    assert to_object.link == ObjectLink("b", "other")
    assert to_object.is_link()
    assert not info().is_link()


def test_file_info_equals_the_info() -> None:
    stored = info(size=7, headers=jetstow.ObjectHeaders({"a": "b"}))
    read = jetstow.FileInfo.of(stored, written=False)
    assert stored == read == stored == jetstow.FileInfo.of(stored, written=True)
    assert read != info(size=8)
    assert read != "n"
    assert (read.written, read.size, read.headers) == (False, 7, stored.headers)
    assert "written=False" in repr(read)
    assert pickle.loads(pickle.dumps(read)).written is False


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        ("SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", hashlib.sha256(b"hello")),
        ("sha-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ", hashlib.sha256(b"hello")),
        ("", None),
        (None, None),
        ("SHA-1=LPJN", None),
        ("SHA-256=short", None),
    ],
)
def test_sha256_in_hexadecimal(digest: str | None, expected: Any) -> None:
    assert info(digest=digest).sha256 == (expected and expected.hexdigest())


def test_repr_of_a_result() -> None:
    """It had all bytes of the object."""
    result = ObjectResult(info(size=5), b"hello")
    assert repr(result) == "ObjectResult('n', bucket='b', size=5, data=b'hello')"
    large = repr(ObjectResult(info(size=10_000_000), bytes(10_000_000)))
    assert large == "ObjectResult('n', bucket='b', size=10000000, data=<10000000 bytes>)"


def test_repr_of_a_status() -> None:
    """It had all fields of the stream's configuration and state: 3,000 characters."""
    plain = status(storage=api.StorageType.FILE, num_replicas=1)
    assert repr(plain) == "BucketStatus('b', size=100, sealed=False, storage='file', replicas=1)"
    limited = status(storage="memory", num_replicas=3, max_age=60.0, max_bytes=9, sealed=True)
    assert repr(limited) == (
        "BucketStatus('b', size=100, max_bytes=9, ttl=60, sealed=True, storage='memory', "
        "replicas=3)"
    )


def test_infos_do_not_share_extra_fields() -> None:
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
def test_modified_time(mtime: str | None, modified: tuple[int, ...] | None) -> None:
    expected = datetime.datetime(*modified, tzinfo=datetime.UTC) if modified else None  # type: ignore[misc,arg-type]
    assert info(mtime=mtime).modified == expected


@given(st.datetimes(timezones=st.just(datetime.UTC), min_value=datetime.datetime(1970, 1, 1)))  # noqa: DTZ001
def test_modified_time_round_trip(time: datetime.datetime) -> None:
    assert info(mtime=time.isoformat().replace("+00:00", "Z")).modified == time


def status(**config: Any) -> BucketStatus:
    stream = api.StreamInfo(
        config=api.StreamConfig(name="OBJ_b", **config),
        state=api.StreamState(messages=3, bytes=100, first_seq=1, last_seq=3, consumer_count=0),
    )
    return BucketStatus(stream, "b")


def test_status_of_a_configured_stream() -> None:
    state = status(
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
    assert state.bucket == "b"
    assert state.size == 100
    assert (state.description, state.ttl, state.max_bytes) == ("d", 60.0, 1000)
    assert (state.storage_type, state.replicas, state.sealed) == (api.StorageType.MEMORY, 3, True)
    assert state.compressed
    assert state.metadata == {"k": "v"}
    assert state.placement == api.Placement(cluster="c")


def test_status_of_an_old_server() -> None:
    """Servers before 2.10 report neither compression nor metadata."""
    state = status()
    assert state.max_bytes == -1
    assert not state.compressed
    assert state.metadata == {}
    assert state.placement is None
    assert state.created is None
