"""The modification time and the mode of a file, in the metadata of its object.

The keys and the formats are those of rclone: `mtime` is a time in RFC 3339 with nanoseconds, `mode`
an octal number, of which only the permissions are used.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from jetstow._core.protocol.timestamps import format_timestamp, parse_timestamp
from jetstow.models import ObjectInfo

MTIME_KEY: Final = "mtime"
MODE_KEY: Final = "mode"

# File systems round modification times, FAT to two seconds. In nanoseconds.
_MTIME_RESOLUTION: Final = 2 * 10**9

# Not setuid, setgid and sticky: any client can write metadata.
_PERMISSIONS: Final = 0o777


@dataclass(frozen=True)
class FileAttributes:
    """A modification time in nanoseconds since 1970, and permissions; None if unknown."""

    mtime: int | None
    mode: int | None

    @classmethod
    def of_file(cls, status: os.stat_result) -> FileAttributes:
        """Return the attributes of a file."""
        return cls(status.st_mtime_ns, stat.S_IMODE(status.st_mode) & _PERMISSIONS)

    @classmethod
    def of_object(cls, info: ObjectInfo) -> FileAttributes:
        """Return the attributes in an object's metadata; those that are not valid are None."""
        metadata = info.metadata or {}
        mtime = mode = None
        with suppress(KeyError, ValueError, OverflowError, OSError):
            mtime = parse_timestamp(metadata[MTIME_KEY])
        with suppress(KeyError, ValueError):
            mode = int(metadata[MODE_KEY], 8) & _PERMISSIONS
        return cls(mtime, mode)

    def metadata(self) -> dict[str, str]:
        """Return the metadata entries of an object."""
        entries = {}
        if self.mtime is not None:
            with suppress(ValueError, OverflowError, OSError):  # after the year 9999
                entries[MTIME_KEY] = format_timestamp(self.mtime)
        if self.mode is not None:
            entries[MODE_KEY] = f"{self.mode:04o}"
        return entries

    def includes(self, wanted: FileAttributes) -> bool:
        """Return whether these are the wanted attributes, as far as those are known."""
        same_mode = wanted.mode in (None, self.mode)
        if wanted.mtime is None or self.mtime is None:
            return same_mode and wanted.mtime is None
        return same_mode and abs(self.mtime - wanted.mtime) < _MTIME_RESOLUTION


def expected_mtime(info: ObjectInfo) -> int | None:
    """Return the modification time of an object's file: that in its metadata, or its own."""
    mtime = FileAttributes.of_object(info).mtime
    if mtime is None and info.mtime:
        mtime = parse_timestamp(info.mtime)
    return mtime


__all__ = ["FileAttributes", "expected_mtime"]
