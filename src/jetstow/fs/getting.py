"""Copy files and folders to the local disk."""

from __future__ import annotations

import os
from glob import has_magic
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.implementations.local import LocalFileSystem, make_path_posix
from fsspec.utils import other_paths

from jetstow._core.protocol.file_names import is_path_in_folder
from jetstow.errors import InvalidObjectNameError
from jetstow.fs.paths import split_path
from jetstow.fs.reading import ReadOperations, report_to


class GetOperations(ReadOperations):
    """fsspec's methods that write local files."""

    async def _get(
        self,
        rpath: str | list[str],
        lpath: str | list[str],
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **options: Any,
    ) -> list[Any] | None:
        """Copy files to a local path, or to one path for each.

        Raises: `InvalidObjectNameError` (the name of an object is not a safe path in the folder;
        the other objects are copied first).
        """
        unsafe: list[str] = []
        if isinstance(lpath, str | os.PathLike):  # fsspec itself takes several paths
            folder: str = make_path_posix(lpath)
            targets = await self._local_paths(rpath, folder, recursive, maxdepth)
            if not targets:
                return None
            unsafe = [path for path, target in targets.items() if not _is_in(folder, target)]
            rpath = [path for path in targets if path not in set(unsafe)]
            lpath = [targets[path] for path in rpath]
        result: list[Any] = await super()._get(
            rpath, lpath, recursive, callback, maxdepth, **options
        )
        if unsafe:
            # A path with such a level has folders with it. The longest path is not a folder.
            raise _unsafe_error(max(unsafe, key=len))
        return result

    async def _local_paths(
        self, rpath: str | list[str], lpath: str, recursive: bool, maxdepth: int | None
    ) -> dict[str, str]:
        """Return the local path for each path to copy, by the rules of fsspec's own `_get`."""
        is_single = isinstance(rpath, str)
        ends_in_slash = isinstance(rpath, str) and rpath.endswith("/")
        rpath = self._strip_protocol(rpath)
        paths: list[str] = await self._expand_path(rpath, recursive=recursive, maxdepth=maxdepth)
        if is_single and (not recursive or maxdepth is not None):
            paths = [path for path in paths if not (path.endswith("/") or await self._isdir(path))]
        if not paths:
            return {}
        if isinstance(rpath, str) and has_magic(rpath):
            goes_into_folder = len(paths) == 1
        else:
            is_folder = lpath.endswith("/") or LocalFileSystem().isdir(lpath)
            goes_into_folder = is_single and is_folder and not ends_in_slash
        targets = other_paths(paths, lpath, exists=goes_into_folder, flatten=not is_single)
        return dict(zip(paths, targets, strict=True))

    async def _get_file(
        self, rpath: str, lpath: str, callback: Callback = DEFAULT_CALLBACK, **preconditions: Any
    ) -> None:
        rpath = self._strip_protocol(rpath)
        bucket, name = split_path(rpath)
        try:
            store = await self._store(bucket)
            with self._forgetting_lost_names():
                await store.get_file(name, lpath, progress=report_to(callback), **preconditions)
        except (FileNotFoundError, IsADirectoryError, InvalidObjectNameError):
            if not await self._isdir(rpath):
                raise
            os.makedirs(lpath, exist_ok=True)  # noqa: PTH103 - fsspec passes str paths


def _is_in(folder: str, path: str) -> bool:
    """Return whether a path is that of the folder itself, or of a file in it."""
    folder = folder.rstrip("/")
    return path == folder or (
        path.startswith(f"{folder}/") and is_path_in_folder(path[len(folder) + 1 :])
    )


def _unsafe_error(path: str) -> InvalidObjectNameError:
    bucket, name = split_path(path)
    return InvalidObjectNameError(
        f"object {name!r} in bucket {bucket!r} was not copied: its name is not a safe path in a "
        "local folder; copy it with get_file to a file name that you choose",
        bucket=bucket,
        name=name,
    )
