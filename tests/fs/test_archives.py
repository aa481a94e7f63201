"""File formats that seek: zip, HDF5, NumPy's."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from jetstow.fs import JetstowFileSystem


def test_zip_hdf5_and_npy(fs: JetstowFileSystem, root: str, tmp_path: Path) -> None:
    import zipfile

    import h5py

    with fs.open(f"{root}/a.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one", b"1" * 1_000)
        archive.writestr("two", b"2" * 2_000_000)
    with fs.open(f"{root}/a.zip") as file:
        assert zipfile.ZipFile(file).read("one") == b"1" * 1_000
        assert file.cache.total_requested_bytes < 200_000
    with h5py.File(tmp_path / "h5", "w") as local:
        local["x"] = np.arange(1_000)
    fs.put_file(str(tmp_path / "h5"), f"{root}/h5")
    with fs.open(f"{root}/h5") as file, h5py.File(file, "r") as opened:
        assert opened["x"][10] == 10
    with fs.open(f"{root}/a.npy", "wb") as file:
        np.save(file, np.eye(3))
    with fs.open(f"{root}/a.npy") as file:
        assert np.array_equal(np.load(io.BytesIO(file.read())), np.eye(3))
