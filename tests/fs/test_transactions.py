"""Transactions: what they cover, what they leave after an exception, and their order."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

import jetstow
from jetstow.errors import ConnectionLostError, ObjectChangedError, ObjectEncryptedError
from jetstow.fs import JetstowFileSystem
from tests.fs.conftest import OtherClient
from tests.fs.test_files import ChangeOnce
from tests.support.file_changes import CHANGES
from tests.support.file_changes import Change as FileChange
from tests.support.samples import some_bytes

DATA = some_bytes(300_000)
OLD = {"old": b"old", "x/old": b"old"}

Step = Callable[[JetstowFileSystem, str, Path], Any]


def use_mapper(fs: JetstowFileSystem, root: str, local: Path) -> None:
    mapper = fs.get_mapper(root)
    mapper["new"] = DATA
    mapper.setitems({"x/new": b"1", "old": b"2"})
    del mapper["x/old"]


def append(fs: JetstowFileSystem, root: str, local: Path) -> None:
    with fs.open(f"{root}/old", "ab") as file:
        file.write(b"more")


# The steps, and what the bucket then has; it starts with `old` and `x/old`.
STEPS: dict[str, tuple[Step, dict[str, bytes]]] = {
    "pipe": (
        lambda fs, root, _: fs.pipe({f"{root}/new": DATA, f"{root}/old": b"2"}),
        {"new": DATA, "old": b"2", "x/old": b"old"},
    ),
    "create": (
        lambda fs, root, _: fs.pipe_file(f"{root}/new", DATA, mode="create"),
        {"new": DATA, "old": b"old", "x/old": b"old"},
    ),
    "put": (
        lambda fs, root, local: fs.put(str(local), f"{root}/d", recursive=True),
        {"d/one": b"1", "d/sub/two": b"2", "old": b"old", "x/old": b"old"},
    ),
    "put_file": (
        lambda fs, root, local: fs.put_file(str(local / "one"), f"{root}/old"),
        {"old": b"1", "x/old": b"old"},
    ),
    "touch": (
        lambda fs, root, _: fs.touch(f"{root}/new"), {"new": b"", "old": b"old", "x/old": b"old"},
    ),
    "rm": (lambda fs, root, _: fs.rm(f"{root}/old"), {"x/old": b"old"}),
    "rm of a folder": (lambda fs, root, _: fs.rm(f"{root}/x", recursive=True), {"old": b"old"}),
    "rm_file": (lambda fs, root, _: fs.rm_file(f"{root}/old"), {"x/old": b"old"}),
    "mv": (
        lambda fs, root, _: fs.mv(f"{root}/old", f"{root}/new"), {"new": b"old", "x/old": b"old"},
    ),
    "mv over a file": (
        lambda fs, root, _: fs.mv(f"{root}/old", f"{root}/x/old"), {"x/old": b"old"},
    ),
    "mv of a folder": (
        lambda fs, root, _: fs.mv(f"{root}/x", f"{root}/y", recursive=True),
        {"old": b"old", "y/old": b"old"},
    ),
    "cp": (
        lambda fs, root, _: fs.cp(f"{root}/old", f"{root}/new"),
        {"new": b"old", "old": b"old", "x/old": b"old"},
    ),
    "cp of a folder": (
        lambda fs, root, _: fs.cp(f"{root}/x", f"{root}/y", recursive=True),
        {"old": b"old", "x/old": b"old", "y/old": b"old"},
    ),
    "mapper": (use_mapper, {"new": DATA, "x/new": b"1", "old": b"2"}),
    "append": (append, {"old": b"oldmore", "x/old": b"old"}),
    "mkdir": (lambda fs, root, _: fs.mkdir(f"{root}/d"), {"old": b"old", "x/old": b"old"}),
}  # fmt: skip


@pytest.fixture
def local(tmp_path: Path) -> Path:
    (tmp_path / "local" / "sub").mkdir(parents=True)
    (tmp_path / "local" / "one").write_bytes(b"1")
    (tmp_path / "local" / "sub" / "two").write_bytes(b"2")
    return tmp_path / "local"


@pytest.fixture
def filled(fs: JetstowFileSystem, root: str) -> str:
    fs.pipe({f"{root}/{name}": data for name, data in OLD.items()})
    return root


def content(fs: JetstowFileSystem, root: str) -> dict[str, bytes]:
    return {path.removeprefix(f"{root}/"): fs.cat_file(path) for path in fs.find(root)}


@pytest.mark.parametrize("name", STEPS)
def test_step_takes_effect_at_the_end(
    fs: JetstowFileSystem, filled: str, local: Path, name: str
) -> None:
    """Only files that were opened belonged to a transaction: other changes were made at once."""
    step, expected = STEPS[name]
    with fs.transaction:
        step(fs, filled, local)
        assert content(fs, filled) == OLD
    assert content(fs, filled) == expected
    fs.invalidate_cache()
    assert content(fs, filled) == expected
    assert fs.isdir(f"{filled}/d") == (name in {"put", "mkdir"})


@pytest.mark.parametrize("name", STEPS)
def test_exception_undoes_a_step(
    fs: JetstowFileSystem, filled: str, other: OtherClient, local: Path, name: str
) -> None:
    def fail() -> None:
        with fs.transaction:
            STEPS[name][0](fs, filled, local)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    fs.invalidate_cache()
    assert content(fs, filled) == OLD
    assert fs.find(filled, withdirs=True) == [
        filled, f"{filled}/old", f"{filled}/x", f"{filled}/x/old"
    ]  # fmt: skip
    assert other.chunks(filled) == 2


def test_steps_that_depend_on_each_other(fs: JetstowFileSystem, filled: str) -> None:
    root = filled
    with fs.transaction:
        fs.pipe(f"{root}/tmp", DATA)
        fs.mv(f"{root}/tmp", f"{root}/final")  # the habit of many tools
        fs.pipe(f"{root}/twice", b"1")
        fs.pipe(f"{root}/twice", b"2")
        fs.cp(f"{root}/twice", f"{root}/copy")
        fs.rm(f"{root}/old")
        fs.pipe_file(f"{root}/old", b"created", mode="create")
        fs.mv(f"{root}/x/old", f"{root}/y")
        fs.mv(f"{root}/y", f"{root}/z")
        fs.touch(f"{root}/gone")
        fs.rm(f"{root}/gone")
    assert content(fs, root) == {
        "final": DATA, "twice": b"2", "copy": b"2", "old": b"created", "z": b"old",
    }  # fmt: skip


def test_steps_that_contradict_earlier_ones(fs: JetstowFileSystem, filled: str) -> None:
    root = filled
    with fs.transaction:
        fs.rm(f"{root}/old")
        for step in (
            lambda: fs.rm(f"{root}/old"), lambda: fs.cp(f"{root}/old", f"{root}/a"),
            lambda: fs.mv(f"{root}/old", f"{root}/a"), lambda: fs.rm_file(f"{root}/missing"),
            lambda: fs.mv(f"{root}/missing", f"{root}/a"),
        ):  # fmt: skip
            with pytest.raises(FileNotFoundError):
                step()
        fs.touch(f"{root}/new")
        with pytest.raises(FileExistsError):
            fs.pipe_file(f"{root}/new", b"", mode="create")
        with pytest.raises(FileExistsError):
            fs.open(f"{root}/new", "xb")
        with pytest.raises(NotImplementedError, match="append after it"):
            fs.open(f"{root}/new", "ab")
    assert content(fs, root) == {"new": b"", "x/old": b"old"}


def test_removed_folder_with_new_files(fs: JetstowFileSystem, filled: str) -> None:
    with fs.transaction:
        fs.pipe(f"{filled}/x/new", b"1")
        fs.pipe(f"{filled}/y/new", b"1")
        fs.rm(f"{filled}/x", recursive=True)
        fs.rm(f"{filled}/y", recursive=True)
        fs.pipe(f"{filled}/x/last", b"2")
    assert content(fs, filled) == {"old": b"old", "x/last": b"2"}


def test_buckets_in_a_transaction(fs: JetstowFileSystem, filled: str) -> None:
    new = f"{filled}-new"

    def fail() -> None:
        with fs.transaction:
            fs.mkdir(new)
            fs.pipe(f"{new}/a", b"a")
            fs.rm(filled, recursive=True)
            assert content(fs, filled) == OLD
            with pytest.raises(FileNotFoundError):
                fs.pipe(f"{filled}/a", b"a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not fs.exists(new)
    assert content(fs, filled) == OLD
    with fs.transaction:
        fs.mkdir(new)
        fs.pipe(f"{new}/a", b"a")
        fs.rm(filled, recursive=True)
    assert content(fs, new) == {"a": b"a"}
    assert not fs.exists(filled)
    fs.rm(new, recursive=True)


def test_conflict_at_the_end(fs: JetstowFileSystem, filled: str, other: OtherClient) -> None:
    """The file that another client wrote first is committed first: nothing else has happened."""

    def conflict() -> None:
        with fs.transaction:
            fs.rm(f"{filled}/old")
            fs.pipe(f"{filled}/b", DATA)
            fs.pipe_file(f"{filled}/c", DATA, mode="create")
            other.put(filled, "c", b"theirs")

    with pytest.raises(FileExistsError) as raised:
        conflict()
    assert "nothing was changed" in raised.value.__notes__[0]
    fs.invalidate_cache()
    assert content(fs, filled) == OLD | {"c": b"theirs"}
    assert other.chunks(filled) == 3


def test_error_in_the_middle_names_what_was_done(
    fs: JetstowFileSystem, filled: str, other: OtherClient
) -> None:
    def lose_a_source() -> None:
        with fs.transaction:
            fs.pipe(f"{filled}/b", b"b")
            fs.mv(f"{filled}/old", f"{filled}/c")
            fs.rm(f"{filled}/x/old")
            other.delete(filled, "old")

    with pytest.raises(FileNotFoundError) as raised:
        lose_a_source()
    assert f"1 of 3 changes. These were made and stay: {filled}/b." in raised.value.__notes__[0]
    fs.invalidate_cache()
    assert content(fs, filled) == {"b": b"b", "x/old": b"old"}


def test_removed_by_another_client_meanwhile(
    fs: JetstowFileSystem, filled: str, other: OtherClient
) -> None:
    with fs.transaction:
        fs.rm(f"{filled}/old")
        other.delete(filled, "old")
    assert content(fs, filled) == {"x/old": b"old"}


@pytest.mark.parametrize("change", CHANGES)
def test_put_of_a_changed_file(
    fs: JetstowFileSystem, root: str, other: OtherClient, tmp_path: Path, change: FileChange
) -> None:
    path = tmp_path / "in"
    path.write_bytes(some_bytes(3_000_000))
    os.utime(path, (1_700_000_000, 1_700_000_000))

    def put() -> None:
        with fs.transaction:
            fs.put_file(str(path), f"{root}/a", callback=ChangeOnce(change, path))

    with pytest.raises(ObjectChangedError, match="changed while it was read"):
        put()
    assert fs.find(root) == []
    assert other.chunks(root) == 0


def test_copy_keeps_metadata(fs: JetstowFileSystem, root: str) -> None:
    meta = jetstow.ObjectMeta(content_type="text/x-note", tags=["t"], metadata={"k": "v"})
    fs.pipe_file(f"{root}/a", b"a", meta=meta)
    with fs.transaction:
        fs.cp(f"{root}/a", f"{root}/b")
        fs.mv(f"{root}/a", f"{root}/c")
    for name in "bc":
        info = fs.info(f"{root}/{name}")
        assert (info["content_type"], info["tags"], info["metadata"]) == (
            "text/x-note", ["t"], {"k": "v"},
        )  # fmt: skip


@pytest.mark.min_server("2.11")
def test_copy_of_an_object_that_expires(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe_file(f"{root}/a", b"a", ttl=3600)
    with fs.transaction:
        fs.cp(f"{root}/a", f"{root}/b")

    async def expires() -> bool:
        return (await (await fs._store(root)).get_info("b")).expires is not None

    assert fsspec.asyn.sync(fs.loop, expires)


def test_text_file_left_open(fs: JetstowFileSystem, root: str) -> None:
    """The end of the transaction closed the binary file only: buffered text was lost."""
    with fs.transaction:
        left_open = [
            fs.open(f"{root}/a", "w"), fs.open(f"{root}/b", "w", compression="gzip"),
            fs.open(f"{root}/c", "wb"),
        ]  # fmt: skip
        left_open[0].write("text")
        left_open[1].write("text")
        left_open[2].write(b"text")
    for name, compression in (("a", None), ("b", "gzip"), ("c", None)):
        with fs.open(f"{root}/{name}", compression=compression) as file:
            assert file.read() == b"text"


async def test_asynchronous_transaction(root: str, options: dict[str, Any]) -> None:
    fs = JetstowFileSystem(asynchronous=True, skip_instance_cache=True, **options)
    with pytest.raises(RuntimeError, match="async with"), fs.transaction:
        pass
    async with fs.transaction:
        await fs._pipe_file(f"{root}/a", b"a")
        async with await fs.open_async(f"{root}/b", "wb") as file:
            await file.write(b"b")
        async with await fs.open_async(f"{root}/c", "xb") as file:
            await file.abort()
        assert await fs._find(root) == []
    assert await fs._find(root) == [f"{root}/a", f"{root}/b"]

    async def fail() -> None:
        async with fs.transaction:
            await fs._rm(f"{root}/a")
            await fs._pipe_file(f"{root}/d", b"d")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await fs._find(root) == [f"{root}/a", f"{root}/b"]
    await fs._pipe_file(f"{root}/e", b"e")
    assert await fs._exists(f"{root}/e")
    await fs.aclose()


def test_start_and_end_without_a_block(fs: JetstowFileSystem, root: str) -> None:
    fs.start_transaction()
    fs.pipe(f"{root}/a", b"a")
    assert not fs.exists(f"{root}/a")
    for start in (fs.start_transaction, fs.transaction.__enter__):
        with pytest.raises(RuntimeError, match="complete it first"):
            start()  # it discarded what the first one had written
    fs.end_transaction()
    assert fs.cat_file(f"{root}/a") == b"a"


def test_encrypted_objects(root: str, options: dict[str, Any], fs: JetstowFileSystem) -> None:
    secret = JetstowFileSystem(**options, key=bytes(32), skip_instance_cache=True)
    secret.pipe(f"{root}/a", DATA)
    with secret.transaction:
        secret.cp(f"{root}/a", f"{root}/b")
        secret.mv(f"{root}/a", f"{root}/c")
    assert secret.cat_file(f"{root}/b") == secret.cat_file(f"{root}/c") == DATA
    secret.close()
    for step in (fs.cp, fs.mv):
        with fs.transaction, pytest.raises(ObjectEncryptedError):
            step(f"{root}/b", f"{root}/d")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_within_a_transaction(fs: JetstowFileSystem, root: str) -> None:
    """The child writes at once; it neither completes nor discards what its parent has written."""
    with fs.transaction as transaction:
        fs.pipe(f"{root}/parent", DATA)
        child = os.fork()
        if not child:
            try:
                fs.pipe(f"{root}/child", b"child")
                with pytest.raises(ConnectionLostError, match="another one in this process"):
                    transaction.complete()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        fs.invalidate_cache()
        assert fs.find(root) == [f"{root}/child"]
    assert content(fs, root) == {"child": b"child", "parent": DATA}
