"""Libraries that read and write files: they fetch only the parts of an object that they need."""

from __future__ import annotations

import io
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from pyarrow import parquet

import jetstow.sync as jetstow
from tests.support.samples import some_bytes

MIB = 1024 * 1024


class Fetched:
    """The number of bytes received from the server since it was created."""

    def __init__(self, nc: jetstow.Client) -> None:
        self._stats = nc.async_client().stats
        self._before = self._stats["in_bytes"]

    @property
    def size(self) -> int:
        return int(self._stats["in_bytes"] - self._before)


def test_zip(nc: jetstow.Client, store: jetstow.ObjectStore) -> None:
    with store.open("a.zip", "wb") as out, zipfile.ZipFile(out, "w") as archive:
        for number in range(32):
            archive.writestr(f"{number}", some_bytes(2 * MIB, number))
            archive.writestr(f"small {number}", f"word {number}")
    fetched = Fetched(nc)
    with store.open("a.zip") as file, zipfile.ZipFile(file) as archive:
        assert (file.info.size or 0) > 64 * MIB
        assert archive.read("small 17") == b"word 17"
        assert fetched.size < MIB
        assert archive.read("5") == some_bytes(2 * MIB, 5)
        assert fetched.size < 8 * MIB
    with zipfile.ZipFile(store.open("a.zip")) as archive:
        assert archive.testzip() is None


def test_tar(nc: jetstow.Client, store: jetstow.ObjectStore) -> None:
    with store.open("a.tar", "wb") as out, tarfile.open(fileobj=out, mode="w") as archive:
        for number in range(16):
            member = tarfile.TarInfo(f"{number}")
            member.size = 2 * MIB
            archive.addfile(member, io.BytesIO(some_bytes(2 * MIB, number)))
    fetched = Fetched(nc)
    with store.open("a.tar") as file, tarfile.open(fileobj=file) as archive:
        last = archive.extractfile("15")
        assert last is not None
        assert fetched.size < 4 * MIB, "a block for each header"
        assert last.read(1000) == some_bytes(2 * MIB, 15)[:1000]
    with store.open("a.tar.gz", "wb") as out, tarfile.open(fileobj=out, mode="w|gz") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
    with store.open("a.tar.gz") as file, tarfile.open(fileobj=file) as archive:
        assert archive.getnames() == ["empty"]


def test_hdf5(nc: jetstow.Client, store: jetstow.ObjectStore, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in range(16):
            file[f"{number}"] = np.arange(262_144, dtype="float64") + number
    store.put_file(tmp_path / "a.h5")
    fetched = Fetched(nc)
    with store.open("a.h5") as opened, h5py.File(opened, "r") as file:
        assert (opened.info.size or 0) > 32 * MIB
        assert file["9"][100_000] == 100_009
        assert fetched.size < 2 * MIB
        assert file["3"][:].sum() == (np.arange(262_144) + 3.0).sum()


def test_parquet_and_csv(nc: jetstow.Client, store: jetstow.ObjectStore) -> None:
    frame = pd.DataFrame(np.random.default_rng(1).random((300_000, 8)), columns=list("abcdefgh"))
    with store.open("a.parquet", "wb") as out:
        frame.to_parquet(out)
    fetched = Fetched(nc)
    with store.open("a.parquet") as file:
        assert (file.info.size or 0) > 18 * MIB
        opened = parquet.ParquetFile(file)
        assert opened.metadata.num_rows == 300_000
        assert fetched.size < MIB
        column = opened.read(columns=["c"])["c"].to_numpy()
        assert (column == frame["c"].to_numpy()).all()
        assert fetched.size < 10 * MIB
    few = frame.head(1000)
    with store.open("a.csv", "wb") as out:
        few.to_csv(out, index=False)
    with store.open("a.csv") as file:
        assert np.allclose(pd.read_csv(file), few)


def test_pickle_numpy_and_shutil(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    array = np.arange(1_000_000)
    with store.open("a", "wb") as out:
        pickle.dump({"array": array, "words": ["one", "two"]}, out)
    with store.open("a") as file:
        found = pickle.load(file)
        assert (found["array"] == array).all()
    with store.open("b", "wb") as out:
        np.save(out, array)
    with store.open("b") as file:
        assert (np.load(file) == array).all()
    with store.open("b") as file, store.open("c", "wb") as out:
        shutil.copyfileobj(file, out)
    assert store.get_info("b").digest == store.get_info("c").digest


def test_text(store: jetstow.ObjectStore) -> None:
    with store.open("a", "wb") as out, io.TextIOWrapper(out, encoding="utf-8") as text:
        print("Grüße", file=text)
        text.write("zwei\n" * 100_000)
    with io.TextIOWrapper(store.open("a"), encoding="utf-8") as text:
        assert text.readline() == "Grüße\n"
        assert text.read() == "zwei\n" * 100_000
