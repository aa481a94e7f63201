"""obstore: files, ranges, lists, conditional puts, multipart uploads, signed URLs."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.gateway import OWNER, REGION

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway


@pytest.fixture
def obstore_store(gateway: RunningGateway, s3_bucket: str) -> Any:
    from obstore.store import S3Store

    return S3Store(
        s3_bucket, endpoint=gateway.url, region=REGION, access_key_id=OWNER.access_key,
        secret_access_key=OWNER.secret_key, client_options={"allow_http": True},
        virtual_hosted_style_request=False,
    )  # fmt: skip


def test_obstore_objects(obstore_store: Any) -> None:
    store = obstore_store
    store.put("d/a b", b"hello", attributes={"Content-Type": "text/plain", "colour": "red"})
    got = store.get("d/a b")
    assert (bytes(got.bytes()), got.meta["size"]) == (b"hello", 5)
    assert (got.attributes["Content-Type"], got.attributes["colour"]) == ("text/plain", "red")
    assert bytes(store.get_range("d/a b", start=1, end=3)) == b"el"
    assert [bytes(each) for each in store.get_ranges("d/a b", starts=[0, 4], ends=[1, 5])] == [
        b"h", b"o",
    ]  # fmt: skip
    assert bytes(store.get("d/a b", options={"range": {"suffix": 2}}).bytes()) == b"lo"
    large = os.urandom(12 * 1024 * 1024)
    store.put("large", large, use_multipart=True, chunk_size=5 * 1024 * 1024)
    assert bytes(store.get("large").bytes()) == large
    assert store.head("large")["e_tag"].endswith('-3"')
    store.copy("large", "d/copy")
    store.rename("d/copy", "d/renamed")
    listed = store.list_with_delimiter("d/")
    assert [item["path"] for item in listed["objects"]] == ["d/a b", "d/renamed"]
    after = [item["path"] for page in store.list(offset="d/b") for item in page]
    assert after == ["d/renamed", "large"]
    store.delete(["d/a b", "d/renamed", "large"])
    assert list(store.list()) == []
    with pytest.raises(FileNotFoundError):
        store.head("large")


def test_obstore_conditional_puts(obstore_store: Any) -> None:
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    store = obstore_store
    first = store.put("a", b"1", mode="create")
    with pytest.raises(AlreadyExistsError):
        store.put("a", b"2", mode="create")
    store.put("a", b"3", mode={"e_tag": first["e_tag"]})
    with pytest.raises(PreconditionError):
        store.put("a", b"4", mode={"e_tag": first["e_tag"]})
    with pytest.raises(PreconditionError):
        store.get("a", options={"if_match": first["e_tag"]})
    assert bytes(store.get("a").bytes()) == b"3"


def test_obstore_concurrent_updates(obstore_store: Any) -> None:
    """Of writers that count up at once, each succeeds once: no update is lost."""
    from obstore.exceptions import PreconditionError

    obstore_store.put("count", b"0")

    def count(_: int) -> None:
        while True:
            got = obstore_store.get("count")
            number = int(bytes(got.bytes())) + 1
            try:
                obstore_store.put("count", b"%d" % number, mode={"e_tag": got.meta["e_tag"]})
            except PreconditionError:
                continue
            return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(16)))
    assert bytes(obstore_store.get("count").bytes()) == b"16"


def test_obstore_signed_url(obstore_store: Any) -> None:
    import obstore

    url = obstore.sign(obstore_store, "PUT", "signed", timedelta(minutes=1))
    assert httpx.put(url, content=b"hello").status_code == 200
    url = obstore.sign(obstore_store, "GET", "signed", timedelta(minutes=1))
    assert httpx.get(url).content == b"hello"
