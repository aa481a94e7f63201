"""Paths and directory entries for object names.

A slash ends a folder, and a folder exists as a prefix of names. Two cases need care:
- After two slashes in a row, the rest of a name is a single file name, because a path cannot
  express an empty folder name.
- An object whose name ends in a slash marks a folder: `mkdir` and other tools create these. It is
  listed as that folder and not as a file.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from jetstow import BucketStatus, ObjectInfo

Entry: TypeAlias = dict[str, Any]

_ERROR_NUMBERS: Final[dict[type[OSError], int]] = {
    FileExistsError: errno.EEXIST,
    FileNotFoundError: errno.ENOENT,
    IsADirectoryError: errno.EISDIR,
    NotADirectoryError: errno.ENOTDIR,
}


def split_path(path: str) -> tuple[str, str]:
    """Return the bucket and the name of a path without protocol; either may be empty."""
    bucket, _, name = path.lstrip("/").partition("/")
    return bucket, name


def path_error(error: type[OSError], path: str, code: int = 0) -> OSError:
    """Return a builtin error for a path, with the operating system's number and message."""
    code = code or _ERROR_NUMBERS[error]
    return error(code, os.strerror(code), path)


def folder_prefix(folder: str) -> str:
    """Return the prefix of the names in a folder; empty for the bucket itself."""
    return f"{folder}/" if folder else ""


def file_entry(info: ObjectInfo, path: str) -> Entry:
    """Return fsspec's entry for an object. For a link, pass the target's info and its own path."""
    return {
        "name": path,
        "size": info.size or 0,
        "type": "file",
        "created": info.modified,
        "modified": info.modified,
        # Different tools look for the modification time under different keys.
        "LastModified": info.modified,
        "mtime": info.modified.timestamp() if info.modified else None,
        "digest": info.digest or "",
        "ETag": f"{info.nuid}-{info.revision}",
        "revision": info.revision,
        "content_type": info.content_type,
        "tags": info.tags,
        "metadata": info.metadata or {},
    }


def folder_entry(path: str) -> Entry:
    """Return fsspec's entry for a folder; its size is 0."""
    return {"name": path, "size": 0, "type": "directory"}


def bucket_entry(status: BucketStatus) -> Entry:
    """Return fsspec's entry for a bucket: a folder with a creation time."""
    return folder_entry(status.bucket) | {"created": status.created}


def iter_entries(
    bucket: str, folder: str, infos: Iterable[ObjectInfo], depth: int | None
) -> Iterator[tuple[str, ObjectInfo | None]]:
    """Yield (path, info) of each file below a folder, and (path, None) of each folder.

    `depth` limits the levels; None is all of them. Each folder is yielded once.
    """
    prefix = folder_prefix(folder)
    seen: set[str] = set()
    for info in infos:
        if not info.name.startswith(prefix) or info.name == prefix:
            continue
        levels = _split_levels(info.name[len(prefix) :])
        for count in range(1, len(levels)):
            if depth is not None and count > depth:
                break
            path = f"{bucket}/{prefix}{'/'.join(levels[:count])}"
            if path not in seen:
                seen.add(path)
                yield path, None
        if levels[-1] and (depth is None or len(levels) <= depth):
            yield f"{bucket}/{info.name}", info


def _split_levels(name: str) -> list[str]:
    """Split a name into folders and a file name, which is empty for a folder's marker."""
    if name.startswith("/"):
        return [name]
    head, slashes, tail = name.partition("//")
    *folders, last = head.split("/")
    return [*folders, last, f"/{tail}"] if slashes else [*folders, last]
