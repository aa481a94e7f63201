"""Locked versions: retention and legal hold."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import jetstow
from jetstow import ObjectMeta, Retention
from jetstow.errors import InvalidOptionError, ObjectLockedError

pytestmark = [pytest.mark.one_path, pytest.mark.min_server("2.10")]

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
GOVERNANCE = Retention("governance", LATER)
COMPLIANCE = Retention("compliance", LATER)


@pytest.fixture
async def versioned(js: jetstow.JetStreamContext, bucket: str) -> jetstow.ObjectStore:
    return await js.create_object_store(bucket, versioned=True)


async def test_locked_version_is_not_removed(versioned: jetstow.ObjectStore) -> None:
    store = versioned
    for meta in (
        ObjectMeta(retention=COMPLIANCE), ObjectMeta(retention=GOVERNANCE),
        ObjectMeta(legal_hold=True),
    ):  # fmt: skip
        info = await store.put("a", b"1", meta)
        assert (info.retention, info.legal_hold) == (meta.retention, bool(meta.legal_hold))
        is_governance = meta.retention == GOVERNANCE
        for _ in range(2):  # as the current version, and as one that is kept
            with pytest.raises(ObjectLockedError) as caught:
                await store.delete("a", version=info.version)
            assert caught.value.until == (meta.retention and LATER)
            if not is_governance:
                with pytest.raises(ObjectLockedError):
                    await store.delete("a", version=info.version, bypass_governance=True)
            await store.put("a", b"2")
        assert (await store.get("a", version=info.version)).data == b"1"
        if is_governance:
            await store.delete("a", version=info.version, bypass_governance=True)
        await store.delete("a")  # a delete marker: it removes nothing


async def test_changes_of_a_retention(versioned: jetstow.ObjectStore) -> None:
    store, longer = versioned, LATER + timedelta(hours=1)
    info = await store.put("a", b"1")
    await store.put("a", b"2")
    place: dict[str, Any] = {"name": "a", "version": info.version}
    await store.set_retention(**place, retention=GOVERNANCE)
    for weaker in (None, Retention("governance", LATER - timedelta(hours=1)), COMPLIANCE):
        with pytest.raises(ObjectLockedError):
            await store.set_retention(**place, retention=weaker)
    changed = await store.set_retention(**place, retention=Retention("governance", longer))
    assert changed.retention == Retention("governance", longer)
    await store.set_retention(**place, retention=COMPLIANCE, bypass_governance=True)
    for weaker in (None, GOVERNANCE):
        with pytest.raises(ObjectLockedError):
            await store.set_retention(**place, retention=weaker, bypass_governance=True)
    await store.set_retention(**place, retention=Retention("compliance", longer))
    held = await store.set_legal_hold("a", True, version=info.version)
    assert (held.retention, held.legal_hold) == (Retention("compliance", longer), True)
    assert not (await store.set_legal_hold("a", False, version=info.version)).legal_hold
    assert (await store.get_info("a")).retention is None


async def test_other_changes_keep_the_lock(versioned: jetstow.ObjectStore) -> None:
    store = versioned
    info = await store.put("a", b"1", ObjectMeta(retention=COMPLIANCE, legal_hold=True))
    meta = info.meta
    meta.metadata = {"k": "v"}
    changed = await store.update_meta("a", meta)
    assert (changed.retention, changed.legal_hold) == (COMPLIANCE, True)
    with pytest.raises(ObjectLockedError):
        await store.rename("a", "b")
    copied = await store.copy("a", "c")
    assert (copied.retention, copied.legal_hold) == (None, False)
    async with store.open("d", "wb") as writer:
        writer.meta.retention = GOVERNANCE
        await writer.write(b"1")
    assert (await store.get_info("d")).retention == GOVERNANCE


@pytest.mark.parametrize(
    "retention",
    [
        Retention("governance", datetime(2020, 1, 1, tzinfo=UTC)),
        Retention("governance", datetime(9998, 1, 1)),  # noqa: DTZ001 - it has no time zone
        Retention("governance", datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2)))),
        Retention("other", LATER),  # type: ignore[arg-type]
    ],
)
async def test_retention_that_is_not_valid(
    versioned: jetstow.ObjectStore, retention: Retention
) -> None:
    with pytest.raises(InvalidOptionError):
        await versioned.put("a", b"1", ObjectMeta(retention=retention))
    await versioned.put("a", b"1")
    with pytest.raises(InvalidOptionError):
        await versioned.set_retention("a", retention)


async def test_bucket_without_versions(store: jetstow.ObjectStore) -> None:
    with pytest.raises(InvalidOptionError, match="versions"):
        await store.put("a", b"1", ObjectMeta(legal_hold=True))
    await store.put("a", b"1")
    for call in (store.set_retention("a", GOVERNANCE), store.set_legal_hold("a", True)):
        with pytest.raises(InvalidOptionError, match="versions"):
            await call


async def _set_retention(raw: Any, bucket: str, text: str) -> None:
    """Publish the metadata of object `a` again, with any text in the header."""
    subject = f"$O.{bucket}.M.{base64.urlsafe_b64encode(b'a').decode()}"
    message = await raw.jetstream().get_last_msg(f"OBJ_{bucket}", subject)
    body = json.loads(message.data)
    body["headers"] = (body.get("headers") or {}) | {"Jetstow-Retention": [text]}
    await raw.jetstream().publish(
        subject, json.dumps(body).encode(), headers={"Nats-Rollup": "sub"}
    )


async def test_retention_that_is_over(versioned: jetstow.ObjectStore, raw: Any) -> None:
    """It allows everything. What cannot be read locks forever."""
    store = versioned
    for text, is_locked in (
        ("compliance 2020-01-01T00:00:00.000Z", False), ("nonsense", True),
        ("compliance 2020-01-01T00:00:00", True),
        # In UTC, it is after the last year of a datetime.
        ("governance 9999-12-31T23:59:59-10:00", True),
    ):  # fmt: skip
        info = await store.put("a", b"1")
        await _set_retention(raw, store.bucket, text)
        if is_locked:
            with pytest.raises(ObjectLockedError):
                await store.delete("a", version=info.version, bypass_governance=True)
        else:
            await store.delete("a", version=info.version)


async def test_locked_version_while_versions_are_suspended(
    js: jetstow.JetStreamContext, versioned: jetstow.ObjectStore
) -> None:
    """The version `null` is replaced then, unless it is locked."""
    store = await js.update_object_store(versioned.bucket, versioned=False)
    await store.put("a", b"1", ObjectMeta(legal_hold=True))
    for change in (store.put("a", b"2"), store.delete("a")):
        with pytest.raises(ObjectLockedError):
            await change
    assert (await store.get("a")).data == b"1"
    await store.set_legal_hold("a", False)
    await store.put("a", b"2")


async def test_locked_version_kept_before_versions_are_suspended(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    """A put, a delete and a rename removed the locked version `null`."""
    store = await js.create_object_store(bucket)
    for name in ("a", "deleted"):
        await store.put(name, b"1")
    store = await js.update_object_store(bucket, versioned=True)
    for name in ("a", "deleted"):
        await store.set_retention(name, COMPLIANCE)
    current = await store.put("a", b"2")
    await store.delete("deleted")
    await store.put("b", b"3")
    store = await js.update_object_store(bucket, versioned=False)

    for change in (
        store.put("a", b"4"),
        store.delete("a"),
        store.add_delete_marker("a"),
        store.rename("a", "c"),
        store.rename("b", "deleted"),
    ):
        with pytest.raises(ObjectLockedError, match="version 'null' of object"):
            await change
    assert [info.version for info in await store.versions("a")] == [current.version, "null"]
    assert (await store.get("a", version="null")).data == b"1"
    assert (await store.get("deleted", version="null")).data == b"1"
    assert (await store.put("b", b"4")).version == "null"  # the refused rename has left no claim
