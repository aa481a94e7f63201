"""Objects that the server removes without a message, and buckets that are created again."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

import jetstow
from jetstow._core.protocol import subjects
from jetstow.fs import JetstowFileSystem, dircache
from jetstow.fs.dircache import ListingCache
from tests.fs.conftest import OtherClient, listing_of

pytestmark = pytest.mark.first_and_last_version


def purge(other: OtherClient, bucket: str, subject: str) -> None:
    """Remove messages as an administrator does: no client gets a message about it."""

    async def step(nc: jetstow.Client) -> None:
        await nc.jetstream().purge_stream(subjects.stream_name(bucket), subject=subject)

    other.run(step)


def check_is_due(fs: JetstowFileSystem, bucket: str) -> ListingCache:
    listing = listing_of(fs, bucket)
    listing._checked_at = float("-inf")
    return listing


def checks(fs: JetstowFileSystem, bucket: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the requests of the checks of a listing are added."""
    stream, made = listing_of(fs, bucket)._store._bucket, list[str]()
    original = stream.info

    async def count(**options: object) -> dict[str, Any]:
        made.append("names" if options else "state")
        return await original(**options)

    monkeypatch.setattr(stream, "info", count)
    return made


def test_purged_object_leaves_the_listing(
    fs: JetstowFileSystem, root: str, other: OtherClient
) -> None:
    """A purge sends no message: the listing named the object for as long as the program ran."""
    fs.pipe({f"{root}/a": b"a", f"{root}/x/b": b"b"})
    assert len(fs.find(root)) == 2
    purge(other, root, subjects.meta_subject(root, "x/b"))
    check_is_due(fs, root)
    assert fs.find(root) == [f"{root}/a"]
    assert not fs.exists(f"{root}/x")
    fs.pipe(f"{root}/x/b", b"new")
    assert fs.find(root) == [f"{root}/a", f"{root}/x/b"]
    purge(other, root, f"$O.{root}.>")
    check_is_due(fs, root)
    assert fs.find(root) == []


def test_object_found_gone_leaves_the_listing_at_once(
    fs: JetstowFileSystem, root: str, other: OtherClient
) -> None:
    reads: list[Callable[[str], Any]] = [
        fs.cat_file, fs.open, fs.info, fs.rm_file, lambda path: fs.cp(path, f"{root}/copy"),
        lambda path: fs.cat_ranges([path], 0, 1, on_error="raise"),
        lambda path: fs.cat_file(path, 0, 1), lambda path: fs.mv(path, f"{root}/copy"),
    ]  # fmt: skip
    paths = [f"{root}/{number}" for number in range(len(reads))]
    fs.pipe(dict.fromkeys(paths, b"data"))
    assert fs.find(root) == paths
    purge(other, root, f"$O.{root}.>")
    for read, path in zip(reads, paths, strict=True):
        with pytest.raises(FileNotFoundError):
            read(path)
        assert path not in fs.find(root)
    assert fs.find(root) == []


def test_get_of_a_purged_object(
    fs: JetstowFileSystem, root: str, other: OtherClient, tmp_path: Any
) -> None:
    """`get` took an object that it did not find for a folder, and made an empty local one."""
    fs.pipe(f"{root}/a", b"a")
    assert fs.find(root) == [f"{root}/a"]
    purge(other, root, f"$O.{root}.>")
    with pytest.raises(FileNotFoundError):
        fs.get_file(f"{root}/a", str(tmp_path / "a"))
    assert not (tmp_path / "a").exists()
    assert fs.find(root) == []


def test_check_costs_one_request_unless_messages_were_removed(
    fs: JetstowFileSystem, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fs.pipe(f"{root}/a", b"a")
    fs.find(root)
    made = checks(fs, root, monkeypatch)
    fs.find(root)
    assert made == []
    check_is_due(fs, root)
    fs.pipe(f"{root}/b", b"b")
    fs.find(root)
    fs.find(root)
    assert made == ["state"]
    check_is_due(fs, root)
    fs.pipe(f"{root}/b", b"replaced")
    fs.find(root)
    assert made == ["state", "state", "names"]
    check_is_due(fs, root)
    fs.find(root)
    assert made == ["state", "state", "names", "state"]


def test_interval_of_checks_follows_the_number_of_names(fs: JetstowFileSystem, root: str) -> None:
    fs.find(root)
    listing = listing_of(fs, root)
    assert listing.check_interval == 10
    info = jetstow.ObjectInfo(name="", bucket=root, nuid="n")
    listing._infos = {str(number): info for number in range(50_000)}
    assert listing.check_interval == 50


def test_listing_of_more_names_than_a_reply_has(
    fs: JetstowFileSystem, root: str, other: OtherClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's reply has 100,000 subjects at most: a listing must not lose the others."""
    fs.pipe({f"{root}/{name}": b"" for name in "abc"})
    assert len(fs.find(root)) == 3
    monkeypatch.setattr(dircache, "_MAX_SUBJECTS", 2)
    purge(other, root, subjects.meta_subject(root, "a"))
    check_is_due(fs, root)
    assert fs.find(root) == [f"{root}/b", f"{root}/c"]


def test_bucket_with_a_ttl(fs: JetstowFileSystem, bucket: str) -> None:
    """An object that expired with its bucket's `ttl` stayed in the listing."""
    fs.mkdir(bucket, ttl=2)
    fs.pipe(f"{bucket}/a", b"a")
    while fs.find(bucket):
        pass
    while True:  # the server removes it a moment earlier or later
        try:
            fs.cat_file(f"{bucket}/a")
        except FileNotFoundError:
            break
    fs.pipe(f"{bucket}/b", b"b")
    listing = check_is_due(fs, bucket)
    assert fs.find(bucket) == [f"{bucket}/b"]
    assert set(listing._infos) == {"b"}
    fs.rm(bucket, recursive=True)


def test_changed_ttl_of_a_bucket(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    fs.pipe(f"{root}/a", b"a")
    assert fs.find(root) == [f"{root}/a"]

    async def shorten(nc: jetstow.Client) -> None:
        await nc.jetstream().update_object_store(root, ttl=3600)

    other.run(shorten)
    check_is_due(fs, root)
    fs.find(root)
    listing = listing_of(fs, root)
    [info] = listing.infos("")
    assert info.modified is not None
    assert listing._bucket._expiry(info) == info.modified + datetime.timedelta(hours=1)


@pytest.mark.min_server("2.11")
def test_ttl_of_an_object(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    """The first has its expiry in its metadata, the second only the server's message TTL."""
    fs.pipe_file(f"{root}/a", b"a", ttl=1)
    fs.pipe(f"{root}/b", b"b")

    async def expire_b(nc: jetstow.Client) -> None:
        js = nc.jetstream()
        subject = subjects.meta_subject(root, "b")
        stored = await js.get_last_msg(subjects.stream_name(root), subject)
        headers = {"Nats-Rollup": "sub", "Nats-TTL": "1s"}
        await js.publish(subject, stored.data or b"", headers=headers)

    other.run(expire_b)
    assert fs.find(root)
    while fs.find(root):
        check_is_due(fs, root)
    assert not fs.exists(f"{root}/a")
    assert not fs.exists(f"{root}/b")


def test_clock_that_is_ahead(
    fs: JetstowFileSystem, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock an hour ahead, no object of a bucket with a `ttl` of a minute is listed."""
    fs.mkdir(bucket, ttl=60)
    fs.pipe(f"{bucket}/a", b"a")
    assert fs.find(bucket) == [f"{bucket}/a"]

    class Ahead(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Ahead:
            return super().now(tz) + datetime.timedelta(hours=1)

    monkeypatch.setattr("jetstow.fs.dircache.datetime.datetime", Ahead)
    assert fs.find(bucket) == []
    check_is_due(fs, bucket)
    assert fs.find(bucket) == [f"{bucket}/a"]
    monkeypatch.undo()
    fs.rm(bucket, recursive=True)


def recreate(other: OtherClient, bucket: str, *names: str) -> None:
    async def step(nc: jetstow.Client) -> None:
        js = nc.jetstream()
        await js.delete_object_store(bucket)
        store = await js.create_object_store(bucket)
        for name in names:
            await store.put(name, name.encode())

    other.run(step)


def test_recreated_bucket(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    """The bucket with the same name was taken for the old one: it listed the old names."""
    fs.pipe({f"{root}/{number}": b"old" for number in range(5)})
    assert len(fs.find(root)) == 5
    recreate(other, root, "1", "new")
    check_is_due(fs, root)
    assert fs.find(root) == [f"{root}/1", f"{root}/new"]
    assert fs.info(f"{root}/1")["size"] == 1


def test_own_write_to_a_recreated_bucket(
    fs: JetstowFileSystem, root: str, other: OtherClient
) -> None:
    """The listing ignored the write: its revision was lower than that of the old object."""
    fs.pipe({f"{root}/{number}": b"old" for number in range(5)})
    fs.invalidate_cache()
    assert len(fs.find(root)) == 5
    recreate(other, root)
    fs.pipe(f"{root}/0", b"new")
    assert fs.find(root) == [f"{root}/0"]


def test_deleted_bucket(fs: JetstowFileSystem, bucket: str, other: OtherClient) -> None:
    fs.mkdir(bucket)
    fs.pipe(f"{bucket}/a", b"a")
    assert fs.find(bucket) == [f"{bucket}/a"]

    async def delete(nc: jetstow.Client) -> None:
        await nc.jetstream().delete_object_store(bucket)

    other.run(delete)
    with pytest.raises(FileNotFoundError):
        fs.cat_file(f"{bucket}/a")
    with pytest.raises(FileNotFoundError):
        fs.ls(bucket)
