"""Names as paths: a slash ends a folder. There are no folders but those that names make.

What a path cannot say is left as it is: the rest of a name behind two slashes is one file's
name, and an object whose name ends with a slash, which other tools make to mark a folder, is
that folder and no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from jetstow import BucketStatus, ObjectInfo

Entry: TypeAlias = dict[str, Any]


def split(path: str) -> tuple[str, str]:
    """The bucket and the name of a path without its protocol; either may be empty."""
    bucket, _, name = path.lstrip("/").partition("/")
    return bucket, name


def inside(folder: str) -> str:
    """What the names in a folder begin with."""
    return f"{folder}/" if folder else ""


def file_entry(info: ObjectInfo, path: str) -> Entry:
    """What fsspec's users ask about an object. A link's are its target's, under its own path."""
    return {
        "name": path,
        "size": info.size or 0,
        "type": "file",
        "created": info.modified,
        "modified": info.modified,
        # Tools look for the same thing under many names.
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
    """A folder, which has no size of its own."""
    return {"name": path, "size": 0, "type": "directory"}


def bucket_entry(status: BucketStatus) -> Entry:
    """A bucket is a folder that somebody has made."""
    return folder_entry(status.bucket) | {"created": status.created}


def below(
    bucket: str, folder: str, infos: Iterable[ObjectInfo], depth: int | None
) -> Iterator[tuple[str, ObjectInfo | None]]:
    """The paths of files with their info, and of folders without, `depth` levels deep.

    Each folder comes once.
    """
    prefix = inside(folder)
    seen: set[str] = set()
    for info in infos:
        if not info.name.startswith(prefix) or info.name == prefix:
            continue
        parts = _parts(info.name[len(prefix) :])
        for count in range(1, len(parts)):
            if depth is not None and count > depth:
                break
            path = f"{bucket}/{prefix}{'/'.join(parts[:count])}"
            if path not in seen:
                seen.add(path)
                yield path, None
        if parts[-1] and (depth is None or len(parts) <= depth):
            yield f"{bucket}/{info.name}", info


def _parts(rest: str) -> list[str]:
    """Folders, and the file's name in the last of them; that is empty for a folder's mark."""
    if rest.startswith("/"):
        return [rest]
    head, slashes, tail = rest.partition("//")
    *folders, last = head.split("/")
    return [*folders, last, f"/{tail}"] if slashes else [*folders, last]
