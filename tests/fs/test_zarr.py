"""zarr: each chunk of an array is an object."""

from __future__ import annotations

import numpy as np

from jetstow.fs import JetstowFileSystem


def test_zarr_array(root: str, options: dict[str, str]) -> None:
    import zarr

    data = np.arange(10_000).reshape(100, 100)
    url = f"jetstow://{root}/array.zarr"
    array = zarr.create_array(
        url, shape=data.shape, chunks=(25, 25), dtype=data.dtype, storage_options=options
    )
    array[:] = data
    opened = zarr.open_array(url, mode="r", storage_options=options)
    assert np.array_equal(opened[20:60, 30:40], data[20:60, 30:40])


def test_zarr_groups_as_folders(fs: JetstowFileSystem, root: str, options: dict[str, str]) -> None:
    import zarr

    url = f"jetstow://{root}/set.zarr"
    for _ in range(2):  # the second time, the group exists and is replaced
        group = zarr.open_group(url, mode="w", storage_options=options)
        group.create_group("empty")
        group.create_array("d/e", shape=(10,), chunks=(5,), dtype="f8")[:] = 1.5
    del group["empty"]
    again = zarr.open_group(url, mode="r", storage_options=options)
    assert sorted(name for name, _ in again.members(max_depth=None)) == ["d", "d/e"]
    del group["d"]
    assert fs.find(f"{root}/set.zarr") == [f"{root}/set.zarr/zarr.json"]


def test_mapper_in_a_transaction(fs: JetstowFileSystem, root: str) -> None:
    """A mapper's writes were visible one by one."""
    mapper = fs.get_mapper(f"{root}/chunks")
    with fs.transaction:
        mapper.setitems({str(number): b"data" for number in range(20)})
        assert fs.find(root) == []
    assert len(mapper) == 20
    mapper.clear()
    assert list(mapper) == []
    assert fs.isdir(f"{root}/chunks")
