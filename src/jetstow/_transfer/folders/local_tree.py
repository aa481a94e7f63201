"""The files of a local folder: listing, comparing, reading and removing them.

No function follows symbolic links or uses files outside of the folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from jetstow._core.aio.atomic_file import mode_of
from jetstow._core.protocol.digest import digests_equal, format_digest
from jetstow._core.protocol.file_names import has_control_character, is_path_in_folder
from jetstow._transfer.folders.file_attributes import FileAttributes, expected_mtime
from jetstow._transfer.folders.names import normalize
from jetstow.errors import InvalidObjectNameError
from jetstow.models import ObjectInfo

# In nanoseconds: some file systems, and older versions of jetstow, store microseconds.
_TIME_TOLERANCE: Final = 10_000


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
        """Return whether the folder has or may have a name that is not in `files`.

        A symbolic link may lead to a folder.
        """
        name = normalize(name)
        folders = [other for other in self.unreadable if other.endswith("/") or not other]
        folders += (f"{other}/" for other in self.special_files)
        return name in map(normalize, [*self.special_files, *self.unreadable]) or any(
            name.startswith(folder) for folder in map(normalize, folders)
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
    path = root.joinpath(*name.split("/"))
    is_unsafe = not is_path_in_folder(name) or has_control_character(name)
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
    its modification time, which `download_folder` sets.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != (info.size or 0):
        return False
    if info.encrypted:
        modified = expected_mtime(info)
        return modified is not None and abs(status.st_mtime_ns - modified) < _TIME_TOLERANCE
    return digests_equal(info.digest or "", file_digest(path))


def finish_file(file: BinaryIO, path: Path, info: ObjectInfo) -> None:
    """Set the modification time and the mode of a new file, before it appears at `path`."""
    mode = FileAttributes.of_object(info).mode
    mode = mode_of(path) if mode is None else mode
    _set_attributes(file.fileno(), FileAttributes(expected_mtime(info), mode))


def update_attributes(path: Path, info: ObjectInfo, *, dry_run: bool) -> bool:
    """Give a file the attributes in its object's metadata. Return whether it differs from them.

    A symbolic link is not followed: `has_same_bytes` has found a regular file.
    """
    wanted = FileAttributes.of_object(info)
    before = FileAttributes.of_file(path.lstat())
    if before.includes(wanted) or dry_run:
        return not before.includes(wanted)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        _set_attributes(descriptor, wanted)
        return FileAttributes.of_file(os.fstat(descriptor)) != before
    finally:
        os.close(descriptor)


def _set_attributes(descriptor: int, attributes: FileAttributes) -> None:
    """Set what the file system supports; only the owner may set it."""
    if attributes.mode is not None:
        with suppress(PermissionError):
            os.fchmod(descriptor, attributes.mode)
    if attributes.mtime is not None:
        with suppress(PermissionError, OverflowError):  # the metadata may have any time
            os.utime(descriptor, ns=(attributes.mtime, attributes.mtime))


@contextmanager
def replaceable(path: Path, info: ObjectInfo) -> Iterator[None]:
    """Allow to replace a write-protected file whose object is write-protected, too.

    Other write-protected files are not replaced.
    """
    mode = FileAttributes.of_object(info).mode
    protected = mode is not None and not mode & 0o222
    if not protected or path.is_symlink() or not path.is_file():
        yield
        return
    previous = path.stat().st_mode & 0o7777
    path.chmod(previous | 0o200)
    try:
        yield
    except BaseException:
        path.chmod(previous)
        raise


def remove_file(path: Path, root: Path) -> None:
    """Remove a file, and the folders within `root` that are empty after that."""
    path.unlink()
    for parent in path.parents:
        if parent == root or not parent.is_relative_to(root) or any(parent.iterdir()):
            return
        parent.rmdir()
