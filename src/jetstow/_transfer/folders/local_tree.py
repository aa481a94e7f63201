"""The files of a local folder: listing, comparing, reading and removing them.

No function follows symbolic links or uses files outside of the folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from jetstow._core.protocol.digest import digests_equal, format_digest
from jetstow.errors import InvalidObjectNameError
from jetstow.models import ObjectInfo

# In seconds: `os.utime` takes a float, which rounds a current time to less than a microsecond.
_TIME_TOLERANCE: Final = 0.00001


@dataclass
class LocalTree:
    """The contents of a folder. Names are relative paths with slashes.

    `files` are regular files, `special_files` are symbolic links, pipes and others. `unreadable`
    maps names to errors; the name of a folder ends in a slash, that of the root is empty.
    """

    files: list[tuple[str, Path, os.stat_result]] = field(default_factory=list)
    special_files: list[str] = field(default_factory=list)
    unreadable: dict[str, OSError] = field(default_factory=dict)

    def may_contain(self, name: str) -> bool:
        """Return whether the folder has or may have a name that is not in `files`."""
        return name in self.special_files or any(
            name == other or (other.endswith("/") and name.startswith(other))
            for other in self.unreadable
        )


def scan_tree(root: Path) -> LocalTree:
    """List a folder with all its subfolders."""
    tree = LocalTree()

    def record(error: OSError) -> None:
        name = Path(error.filename).relative_to(root).as_posix()
        tree.unreadable["" if name == "." else f"{name}/"] = error

    for folder, subfolders, names in os.walk(root, onerror=record):
        links = [subfolder for subfolder in subfolders if (Path(folder) / subfolder).is_symlink()]
        for filename in [*names, *links]:
            path = Path(folder) / filename
            name = path.relative_to(root).as_posix()
            try:
                status = path.lstat()
            except OSError as error:
                tree.unreadable[name] = error
                continue
            if stat.S_ISREG(status.st_mode):
                tree.files.append((name, path, status))
            else:
                tree.special_files.append(name)
    tree.files.sort(key=lambda file: file[0])
    return tree


def local_path(root: Path, name: str, bucket: str) -> Path:
    """Return the path of an object's file.

    Raises: `InvalidObjectNameError` (the name is not a safe path within the folder).
    """
    levels = name.split("/")
    path = root.joinpath(*levels)
    is_unsafe = any(
        level in {"", ".", ".."} or "\\" in level or not level.isprintable() for level in levels
    )
    folders = [parent for parent in path.parents if parent.is_relative_to(root) and parent != root]
    if is_unsafe or any(folder.is_symlink() for folder in folders):
        raise InvalidObjectNameError(
            f"object {name!r} in bucket {bucket!r} cannot be a file in folder {str(root)!r}: "
            "its name is not a safe path, or leads through a symbolic link",
            bucket=bucket,
            name=name,
        )
    return path


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, as in an object's metadata."""
    with path.open("rb") as file:
        return format_digest(hashlib.file_digest(file, "sha256").digest())


def has_same_bytes(path: Path, info: ObjectInfo) -> bool:
    """Return whether a regular file has the bytes of an object.

    The digest of an encrypted object is that of its encrypted bytes. Such a file is compared by
    its modification time, which `download_folder` sets to the object's.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != (info.size or 0):
        return False
    if info.encrypted:
        modified = info.modified
        return (
            modified is not None and abs(status.st_mtime - modified.timestamp()) < _TIME_TOLERANCE
        )
    return digests_equal(info.digest or "", file_digest(path))


def set_modified_time(path: Path, info: ObjectInfo) -> None:
    """Set the modification time of a file to that of its object."""
    if info.modified is not None:
        timestamp = info.modified.timestamp()
        os.utime(path, (timestamp, timestamp))


def remove_file(path: Path, root: Path) -> None:
    """Remove a file, and the folders within `root` that are empty after that."""
    path.unlink()
    for parent in path.parents:
        if parent == root or not parent.is_relative_to(root) or any(parent.iterdir()):
            return
        parent.rmdir()
