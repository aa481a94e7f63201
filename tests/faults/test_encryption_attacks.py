"""What a user without the key can do to encrypted objects: the rows of the guide's tables.

After the chunk size in the header was changed, `open().read()`, `get_range`, fsspec and the
blocking reader returned 590,688 of 600,000 bytes without an error, and seeks from the end read the
wrong place. `get` returned encrypted bytes as data after the header was removed, and plain objects
as if they were the originals.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import (
    IntegrityError,
    ObjectEncryptedError,
    ObjectNotFoundError,
    TamperedError,
)
from tests.docs import pages
from tests.support import encryption_attacks as attacks
from tests.support.encryption_attacks import (
    DATA,
    HEADER,
    KEY,
    NOT_DETECTED,
    OTHER,
    REFUSED,
    SMALL,
    WITHOUT_EFFECT,
    Attack,
    Bucket,
)
from tests.support.read_ways import TAIL, Outcomes, ReadWays
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.one_path, pytest.mark.first_and_last_version]


@pytest.fixture
async def bucket(
    server: NatsServer,
    store: jetstow.ObjectStore,
    js: jetstow.JetStreamContext,
    raw: Client,
    tmp_path: Path,
) -> AsyncIterator[Bucket]:
    for name, data in (("a", DATA), ("b", OTHER)):
        await store.encrypted(KEY).put(name, data, SMALL)
    with ReadWays(server.url, store, KEY, tmp_path) as ways:
        yield Bucket(store, js, raw, ways)


def each_attack(rows: dict[str, list[Attack]]) -> list[Any]:
    return [pytest.param(attack, id=attack.__name__) for row in rows.values() for attack in row]


def rows_of_the_guide() -> dict[str, str]:
    text = pages.text("guides/encryption.md").partition("| without the key, a user |")[2]
    return dict(re.findall(r"^\| (\w.*?) \| (.*) \|$", text.partition("\n\n")[0], re.MULTILINE))


def test_every_row_of_the_guide_is_tested() -> None:
    rows = rows_of_the_guide()
    assert set(rows) == set(REFUSED | WITHOUT_EFFECT | NOT_DETECTED)
    for row, promise in rows.items():
        expected = {
            row in REFUSED: "refused",
            row in WITHOUT_EFFECT: "no effect on reads",
            row in NOT_DETECTED: "**not ",
        }[True]
        assert promise.startswith(expected), row


def check_bytes(outcomes: Outcomes, data: bytes) -> None:
    for way, outcome in outcomes.items():
        assert outcome == (data[-TAIL:] if "tail" in way else data), way


async def test_every_way_without_an_attack(bucket: Bucket) -> None:
    check_bytes(await bucket.ways.read("a"), DATA)
    assert (await bucket.vault.verify()).ok


@pytest.mark.parametrize("attack", each_attack(REFUSED))
async def test_refused(bucket: Bucket, attack: Attack) -> None:
    await attack(bucket)
    for way, outcome in (await bucket.ways.read("a")).items():
        if "tail" in way and outcome == DATA[-TAIL:]:
            continue  # the attack changed other bytes of the same object
        assert isinstance(outcome, IntegrityError | ObjectEncryptedError), (way, outcome)
        is_other_key = attack is attacks.replace_by_another_key
        assert isinstance(outcome, ObjectEncryptedError) is is_other_key, (way, outcome)
        assert outcome.name == "a"
    findings = (await bucket.vault.verify("a")).findings
    assert [finding.name for finding in findings] == ["a"]


@pytest.mark.parametrize("attack", each_attack(REFUSED))
async def test_refused_with_tampered_error(bucket: Bucket, attack: Attack) -> None:
    """Where the stored bytes match their metadata, only the encryption can find the attack."""
    await attack(bucket)
    if (await bucket.store.verify("a")).ok and attack is not attacks.replace_by_another_key:
        with pytest.raises(TamperedError):
            await bucket.vault.get("a")


@pytest.mark.parametrize("attack", each_attack(WITHOUT_EFFECT))
async def test_without_effect(bucket: Bucket, attack: Attack) -> None:
    await attack(bucket)
    check_bytes(await bucket.ways.read("a"), DATA)
    assert (await bucket.vault.verify()).ok
    await bucket.vault.update_meta("a", ObjectMeta())
    assert (await bucket.vault.get_info("a")).size == len(DATA)


async def test_chunk_size_in_metadata(bucket: Bucket) -> None:
    """It decides which messages are read, so it may cause an error but not other bytes."""
    await attacks.change_chunk_size_in_metadata(bucket)
    for way, outcome in (await bucket.ways.read("a")).items():
        right = outcome == (DATA[-TAIL:] if "tail" in way else DATA)
        assert right or isinstance(outcome, IntegrityError), (way, outcome)


async def test_header_of_the_issue(bucket: Bucket) -> None:
    """The header was trusted: 590,688 of 600,000 bytes were returned without an error."""
    data = some_bytes(600_000)
    await bucket.vault.put("a", data)
    await bucket.change(headers={HEADER: ["AES-256-GCM; chunk=1024"]})
    check_bytes(await bucket.ways.read("a"), data)


async def test_not_detected(bucket: Bucket) -> None:
    await attacks.restore_older_version(bucket)
    check_bytes(await bucket.ways.read("a"), DATA)
    await attacks.change_description(bucket)
    result = await bucket.vault.get("a")
    assert (result.data, result.info.description, result.info.tags) == (DATA, "forged", ["forged"])
    await attacks.shorten_header(bucket)
    assert (await bucket.vault.get_info("a")).size != len(DATA)
    assert (await bucket.vault.get("a")).info.size == len(DATA)
    await bucket.store.delete("a")
    with pytest.raises(ObjectNotFoundError):
        await bucket.vault.get("a")


# -- options ---------------------------------------------------------------------------------


async def test_allow_plain(
    bucket: Bucket, server: NatsServer, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await store.put("plain", OTHER)
    await store.put("empty", b"")
    await store.add_link("link", "a")
    await attacks.mark_plain_object_with_unsigned_header(bucket)
    await bucket.store.as_stored().rename("a", "marked")
    await bucket.vault.put("a", DATA)
    with ReadWays(server.url, store, KEY, tmp_path, allow_plain=True) as ways:
        for name, data in (("a", DATA), ("plain", OTHER), ("link", DATA), ("empty", b"")):
            outcomes = await ways.read(name)
            if not data:  # a seek before the start is an error of its own
                outcomes = {way: each for way, each in outcomes.items() if "tail" not in way}
            check_bytes(outcomes, data)
        for outcome in (await ways.read("marked")).values():
            assert isinstance(outcome, TamperedError)
    view = store.encrypted(KEY, allow_plain=True)
    assert [finding.name for finding in (await view.verify()).findings] == ["marked"]
    assert [each.name for each in (await bucket.vault.verify()).findings] == [
        "empty", "link", "marked", "plain",
    ]  # fmt: skip


async def test_resume(bucket: Bucket, tmp_path: Path) -> None:
    """It returned the encrypted bytes of an object without its header."""
    await attacks.remove_header(bucket)
    with pytest.raises(jetstow.errors.InvalidOptionError, match="is encrypted"):
        await bucket.vault.get_file("a", tmp_path / "x", resume=True)
    with pytest.raises(ObjectEncryptedError):
        await bucket.store.get_file("a", tmp_path / "x", resume=True)
    await attacks.put_plain_object(bucket)
    with pytest.raises(TamperedError, match="is not encrypted"):
        await bucket.vault.get_file("a", tmp_path / "x", resume=True)
    view = bucket.store.encrypted(KEY, allow_plain=True)
    await view.get_file("a", tmp_path / "x", resume=True)
    assert (tmp_path / "x").read_bytes() == OTHER


async def test_without_key_and_header(bucket: Bucket, tmp_path: Path) -> None:
    """Encrypted bytes are not returned as data, also if another client dropped the header."""
    await attacks.remove_header(bucket)
    store = bucket.store
    for read in (store.get("a"), store.get_file("a", tmp_path / "x"), store.get_range("a", 0, 50)):
        with pytest.raises(ObjectEncryptedError, match="'a'"):
            await read
    async with store.open("a") as file:
        with pytest.raises(ObjectEncryptedError):
            await file.read()


async def test_wrong_original_bucket(bucket: Bucket) -> None:
    with pytest.raises(jetstow.errors.InvalidBucketNameError):
        bucket.store.encrypted(KEY, original_bucket="a b")
    await attacks.replace_from_another_bucket(bucket)
    other = f"{bucket.store.bucket}-other"
    assert (await bucket.store.encrypted(KEY, original_bucket=other).get("a")).data == OTHER
    with pytest.raises(TamperedError, match="in another bucket"):
        await bucket.store.encrypted(KEY, original_bucket="x").get("a")


# -- what is visible -------------------------------------------------------------------------


async def test_hidden_and_visible(bucket: Bucket) -> None:
    meta = ObjectMeta(description="seen", tags=["seen"], options=SMALL.options)
    await bucket.vault.put("same", DATA, meta)
    info = await bucket.store.get_info("same")
    stored = await bucket.stored("same")
    assert (info.description, info.tags, info.name) == ("seen", ["seen"], "same")
    assert DATA[:16] not in stored
    assert digest_of(stored) == info.digest != (await bucket.store.get_info("a")).digest
