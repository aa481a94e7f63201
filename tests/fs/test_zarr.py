"""zarr: each chunk of an array is an object."""

from __future__ import annotations

import numpy as np


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
