"""Every verb once: `tests/live` tests the behaviour, this file that the blocking form works."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import pytest

import jetstow as asynchronous
import jetstow.sync as jetstow
from jetstow.errors import (
    BucketNotFoundError,
    InvalidOptionError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
    ObjectUnchangedError,
    RevisionMismatchError,
)
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(3_000_000)


def test_connection(server: NatsServer) -> None:
    with jetstow.connect([server.url]) as nc:
        assert nc.is_connected
        assert not nc.is_closed
        assert not nc.is_reconnecting
        assert nc.connected_url.port == server.port
        assert nc.max_payload > 0
        nc.flush()
    assert nc.is_closed
    assert not nc.is_connected
    other = jetstow.connect(server.url)
    other.drain()
    assert other.is_closed


def test_callback_uses_jetstow(server: NatsServer) -> None:
    found = []

    def on_close() -> None:
        with jetstow.connect(server.url) as other:
            found.append(other.is_connected)

    jetstow.connect(server.url, closed_cb=on_close).close()
    assert found == [True]


def test_buckets(js: jetstow.JetStreamContext, nc: jetstow.Client, bucket: str) -> None:
    store = js.create_object_store(bucket, description="one")
    assert js.object_store(bucket).bucket == bucket
    js.update_object_store(bucket, description="two")
    assert store.status().description == "two"
    js.create_or_update_object_store(bucket, description="three")
    assert jetstow.jetstream(nc).object_store(bucket).status().description == "three"
    assert bucket in js.object_store_names()
    assert bucket in [status.bucket for status in js.object_stores()]
    assert bucket in [report.bucket for report in js.verify_object_stores(quick=True)]
    assert js.delete_object_store(bucket)
    with pytest.raises(BucketNotFoundError):
        js.object_store(bucket)


def test_async_connection_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match=r"jetstow\.sync\.connect"):
        jetstow.jetstream(asynchronous.Client())  # type: ignore[arg-type]


def test_objects(store: jetstow.ObjectStore) -> None:
    meta = jetstow.ObjectMeta(description="words", tags=["draft"])
    info = store.put("a", "text", meta, expected_revision=0)
    assert type(info) is asynchronous.ObjectInfo
    assert store.get("a").data == b"text"
    assert store.get_info("a").description == "words"
    assert store.get_range("a", 1, 2) == b"ex"
    with pytest.raises(RevisionMismatchError):
        store.put("a", b"other", expected_revision=info.revision + 1)
    with pytest.raises(ObjectUnchangedError):
        store.get("a", if_changed_since=info.revision)
    assert store.copy("a", "b").digest == info.digest
    store.add_link("link", info)
    store.add_link("by name", "a")
    store.add_bucket_link("all", store)
    assert store.get("link").info.name == "a"
    with pytest.raises(ObjectAlreadyExists):
        store.update_meta("b", jetstow.ObjectMeta(name="a"))
    store.update_meta("b", jetstow.ObjectMeta(name="c"))
    store.delete("c")
    with pytest.raises(ObjectNotFoundError):
        store.get("c")
    assert store.get_info("c", show_deleted=True).deleted
    assert sorted(info.name for info in store.list()) == ["a", "all", "by name", "link"]
    assert "c" in [info.name for info in store.list(ignore_deletes=False)]
    age = datetime.timedelta(days=1)
    assert [info.name for info in store.find("?", tags=["draft"], newer_than=age)] == ["a"]
    assert store.verify().ok
    assert store.verify("a", quick=True).objects == 1
    assert store.collect_garbage(dry_run=True).messages == 0
    store.seal()
    assert store.status().sealed


def test_list(store: jetstow.ObjectStore) -> None:
    store.put("a", b"1")
    found = store.list()
    store.delete("a")
    assert isinstance(found, list)
    assert [info.name for info in found] == ["a"]
    assert "<table" in found._repr_html_()  # type: ignore[attr-defined]


def test_functions_run_in_the_calling_thread(store: jetstow.ObjectStore) -> None:
    """They may call the store, which the event loop's thread must not."""
    for name in ("a/1", "a/2", "b/1"):
        store.put(name, b"x" * int(name[-1]))

    def is_small(info: jetstow.ObjectInfo) -> bool:
        return len(store.get(info.name).data) == 1

    assert [info.name for info in store.list("a/", match=is_small)] == ["a/1"]
    assert [info.name for info in store.find(is_small)] == ["a/1", "b/1"]
    assert isinstance(store.find(is_small), type(store.find("*")))
    with store.watch("a/", match=is_small) as changes:
        assert [change and change.name for change in (changes.updates(), changes.updates())] == [
            "a/1",
            None,
        ]
        with pytest.raises(TimeoutError):
            changes.updates(0.01)


def test_delete_many(store: jetstow.ObjectStore) -> None:
    for name in ("a", "b", "c/1", "c/2"):
        store.put(name, b"x")
    assert store.exists("a")
    result = store.delete_many(info.name for info in store.list() if store.exists(info.name))
    assert sorted(result.deleted) == ["a", "b", "c/1", "c/2"]
    assert not store.exists("a")
    store.put("c/3", b"x")
    assert store.delete_many(prefix="c/").deleted == ["c/3"]
    store.delete("c/3", missing_ok=True)
    with pytest.raises(InvalidOptionError):
        store.delete_many("c/3")


def test_local_files(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(DATA)
    calls: list[tuple[int, int | None]] = []
    store.put_file(path, progress=lambda *step: calls.append(step))
    assert calls[-1] == (len(DATA), len(DATA))
    store.get_file("a", tmp_path / "b", progress=lambda *step: calls.append(step))
    assert (tmp_path / "b").read_bytes() == DATA
    with path.open("rb") as file:
        assert store.put("c", file).digest == store.get_info("a").digest


def test_stream(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    stream = store.stream("a")
    assert b"".join(stream) == DATA
    with pytest.raises(StopIteration):
        next(stream)
    begun = store.stream("a")
    assert DATA.startswith(next(begun))
    begun.close()
    with pytest.raises(ObjectNotFoundError):
        next(store.stream("none"))


def test_watch(store: jetstow.ObjectStore) -> None:
    store.put("a", b"1")
    with store.watch() as changes:
        first = next(changes)
        assert first is not None
        assert first.name == "a"
        assert next(changes) is None
        with pytest.raises(jetstow.errors.TimeoutError):
            changes.updates(timeout=0.01)
        store.delete("a")
        change = changes.updates()
        assert change is not None
        assert change.deleted
    with pytest.raises(jetstow.errors.WatcherStoppedError):
        changes.updates()
    assert list(changes) == []


def test_backup_restore_and_mirror(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    store.put("a", DATA)
    copied = js.create_object_store(f"{store.bucket}-2")
    assert jetstow.mirror(store, copied).copied == ["a"]
    store.copy("a", "b", to=copied)
    assert copied.get("b").data == DATA
    assert jetstow.backup(store, tmp_path / "a.tar.gz").objects == 1
    packed = io.BytesIO()
    assert jetstow.backup(store, packed).objects == 1
    js.delete_object_store(store.bucket)
    packed.seek(0)
    assert jetstow.restore(js, packed).objects == 1
    assert store.get("a").data == DATA
    js.delete_object_store(store.bucket)
    assert jetstow.restore(js, tmp_path / "a.tar.gz").objects == 1
    assert store.get("a").data == DATA
    js.delete_object_store(copied.bucket)


def test_encryption(store: jetstow.ObjectStore) -> None:
    secret = store.encrypted(bytes(range(32)))
    secret.put("a", DATA)
    assert secret.get("a").data == DATA
    with secret.open("a") as file:
        file.seek(1_000_000)
        assert file.read(10) == DATA[1_000_000:1_000_010]
    with secret.open("b", "wb") as out:
        out.write(DATA)
    assert b"".join(secret.stream("b")) == DATA
    assert repr(secret) == f"<jetstow.sync.ObjectStore {store.bucket!r} encrypted>"
    assert store.get_info("a").encrypted
    with pytest.raises(jetstow.errors.ObjectEncryptedError):
        store.get("a")
    assert len(store.as_stored().get("a").data or b"") > len(DATA)


def test_folders(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"data")
    done: list[tuple[int, int | None]] = []
    up = jetstow.upload_folder(
        tmp_path / "in", store, "x", progress=lambda *step: done.append(step)
    )
    assert (up.copied, done[-1]) == (["a"], (4, 4))
    assert jetstow.download_folder(store, tmp_path / "out", "x").copied == ["a"]
    assert (tmp_path / "out" / "a").read_bytes() == b"data"
    (tmp_path / "in" / "a").unlink()
    with pytest.raises(jetstow.errors.InvalidOptionError, match="force=True"):
        jetstow.upload_folder(tmp_path / "in", store, "x", delete=True)
    with pytest.raises(jetstow.errors.InvalidOptionError, match="max_delete"):
        jetstow.download_folder(store, tmp_path / "out", "y", delete=True, force=True, max_delete=0)
    assert (store.get("x/a").data, (tmp_path / "out" / "a").exists()) == (b"data", True)
    assert jetstow.upload_folder(tmp_path / "in", store, "x", delete=True, force=True).removed == [
        "a"
    ]


def test_pages_of_an_index(store: jetstow.ObjectStore) -> None:
    with store.index(metadata=["key"]) as index:
        assert index.page() == jetstow.IndexPage([], [], None)
        assert index.deleted() == jetstow.DeletedPage()
        for name in ("b", "a/1", "a/2"):
            store.put(name, b"12", metadata={"key": name})
        page = index.page(delimiter="/")
        assert [(entry.name, entry.metadata) for entry in page.entries] == [("b", ("b",))]
        assert page.prefixes == ["a/"]
        assert index.page("a/", limit=1).next == "a/1"
        store.delete("b")
        assert index.changes(page.revision) == {"b": None}
    with pytest.raises(ValueError, match="closed"):
        index.page()
