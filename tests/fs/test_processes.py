"""Instances and files in forked and spawned processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from jetstow.errors import ConnectionLostError, RevisionMismatchError
from jetstow.fs import JetstowFileSystem
from tests.fs.conftest import OtherClient
from tests.support.forked import forked_pool
from tests.support.samples import some_bytes

DATA = some_bytes(1_000_000)

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def in_child(step: Callable[[], object]) -> None:
    """Run a step in a forked process, which fails the test if the step fails."""
    child = os.fork()
    if not child:
        status = 1
        try:
            step()
            gc.collect()
            status = 0
        except BaseException:  # noqa: BLE001 - the exit code reports it
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_instance_held_over_a_fork(fs: JetstowFileSystem, root: str) -> None:
    """Every call raised "This class is not fork-safe"."""
    fs.pipe(f"{root}/a", DATA)
    assert fs.find(root) == [f"{root}/a"]

    def use() -> None:
        assert fs.cat_file(f"{root}/a") == DATA
        fs.pipe(f"{root}/child", b"child")
        with fs.open(f"{root}/child-2", "w") as file:
            file.write("text")
        assert len(fs.find(root)) == 3
        fs.close()

    in_child(use)
    fs.invalidate_cache()
    assert fs.find(root) == [f"{root}/{name}" for name in ("a", "child", "child-2")]
    assert fs.cat_file(f"{root}/child") == b"child"


class Dataset:
    """As the datasets of PyTorch: it holds a file system, and workers read its items."""

    def __init__(self, fs: JetstowFileSystem, root: str) -> None:
        self._fs = fs
        self.paths = fs.find(root)

    def __getitem__(self, index: int) -> bytes:
        data: bytes = self._fs.cat_file(self.paths[index])
        return data


_datasets: list[Dataset] = []


def item(index: int) -> bytes:
    return _datasets[-1][index]


def item_of(dataset: Dataset, index: int) -> bytes:
    return dataset[index]


def test_dataset_in_forked_workers(fs: JetstowFileSystem, root: str) -> None:
    """The workers get the data set by the fork, not by pickle."""
    fs.pipe({f"{root}/{number}": str(number).encode() for number in range(8)})
    _datasets.append(Dataset(fs, root))
    with forked_pool() as pool:
        assert pool.map(item, range(8)) == [str(number).encode() for number in range(8)]
    assert _datasets[-1][3] == b"3"


def test_dataset_in_spawned_workers(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe({f"{root}/{number}": str(number).encode() for number in range(4)})
    dataset = Dataset(fs, root)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        arguments = [(dataset, number) for number in range(4)]
        assert pool.starmap(item_of, arguments) == [b"0", b"1", b"2", b"3"]


def test_file_opened_before_a_fork(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    """A read waited forever for the parent's connection."""
    fs.pipe(f"{root}/a", DATA)
    with fs.open(f"{root}/a", cache_type="none") as file:
        assert file.read(10) == DATA[:10]

        def read() -> None:
            file.seek(500_000)
            assert file.read(10) == DATA[500_000:500_010]
            assert file.read(10) == DATA[500_010:500_020]

        in_child(read)
        assert file.read(10) == DATA[10:20]
        other.put(root, "a", b"replaced")

        def read_replaced() -> None:
            with pytest.raises(RevisionMismatchError, match="'a'"):
                file.read(10)

        in_child(read_replaced)


def test_written_file_belongs_to_its_process(
    fs: JetstowFileSystem, root: str, other: OtherClient
) -> None:
    """A child that dropped its copy of the file could have ended the upload of its parent."""
    files = [fs.open(f"{root}/a", "wb", block_size=1_000)]
    files[0].write(DATA[:5_000])

    def use() -> None:
        file = files.pop()
        for step in (lambda: file.write(b"x"), file.flush, file.close, file.discard):
            with pytest.raises(ConnectionLostError, match="open it again in this process"):
                step()

    in_child(use)
    with files[0] as file:
        file.write(DATA[5_000:])
    assert fs.cat_file(f"{root}/a") == DATA


def test_text_file_in_a_child(fs: JetstowFileSystem, root: str) -> None:
    with fs.open(f"{root}/a", "w", block_size=10, compression="gzip") as file:
        file.write("text" * 1_000)

        def drop() -> None:
            with pytest.raises(ConnectionLostError):
                file.close()

        in_child(drop)
    with fs.open(f"{root}/a", "r", compression="gzip") as file:
        assert file.read() == "text" * 1_000


async def test_asynchronous_instance_held_over_a_fork(
    root: str, options: dict[str, Any], other: OtherClient
) -> None:
    import asyncio

    fs = JetstowFileSystem(asynchronous=True, skip_instance_cache=True, **options)
    await fs._pipe_file(f"{root}/a", b"a")

    def use() -> None:
        async def read() -> bytes:
            data: bytes = await fs._cat_file(f"{root}/a")
            await fs.aclose()
            return data

        asyncio.events._set_running_loop(None)  # the parent's, which does not run here
        assert asyncio.run(read()) == b"a"

    in_child(use)
    assert await fs._cat_file(f"{root}/a") == b"a"
    await fs.aclose()


def test_pickled_instance_keeps_its_options(root: str, options: dict[str, Any]) -> None:
    fs = JetstowFileSystem(**options, timeout=3.0, key=bytes(32), skip_instance_cache=True)
    fs.pipe(f"{root}/a", b"secret")
    fs.start_transaction()
    copy: JetstowFileSystem = pickle.loads(pickle.dumps(fs))
    copy.pipe(f"{root}/b", b"secret")  # it is not in the transaction
    assert copy.cat_file(f"{root}/b") == copy.cat_file(f"{root}/a") == b"secret"
    fs.end_transaction()
    copy.close()
    fs.close()
