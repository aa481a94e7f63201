"""What this client last saw of the names of a bucket.

A put assumes that a name is still at the revision it was seen at, or unused, instead of asking. The
commit checks it. A get requests the chunks of a small object together with its metadata.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec

from jetstow.models import ObjectInfo

# The cache of a bucket takes about a megabyte.
_MAX_NAMES: Final = 4_096

# After a wrong assumption, so many puts in a row ask: another client may have written many names.
_ASKING_PUTS: Final = 16


class KnownName(msgspec.Struct, frozen=True, gc=False):
    """The metadata of a name at a revision: the NUID of the chunks, their number, and their size.

    With `has_extra` it has fields that ADR-20 does not define, such as those of a rename.
    """

    revision: int
    nuid: str = ""
    chunks: int = 0
    size: int = 0
    has_extra: bool = False


class NameCache:
    """The names of a bucket that were read or written last, and whether they were as assumed."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, KnownName] = OrderedDict()
        self._asking_puts = 0

    @property
    def must_ask(self) -> bool:
        """Whether a put asks for the state of its name, as an assumption was wrong lately."""
        return self._asking_puts > 0

    def get(self, name: str) -> KnownName | None:
        """Return what was seen of a name; None if it was not, or long ago."""
        return self._names.get(name)

    def remember(self, info: ObjectInfo) -> None:
        """Store what was seen of a name: an object, a link, or a delete marker."""
        names, has_extra = self._names, bool(info.extra)
        names[info.name] = KnownName(
            info.revision, info.nuid, info.chunks or 0, info.size or 0, has_extra
        )
        names.move_to_end(info.name)
        if len(names) > _MAX_NAMES:
            names.popitem(last=False)

    def check(self, name: str, revision: int) -> None:
        """Learn whether a name was at the assumed revision. It is at `revision`, or unused at 0."""
        known = self._names.get(name)
        if (0 if known is None else known.revision) == revision:
            self._asking_puts = max(0, self._asking_puts - 1)
        else:
            self._asking_puts = _ASKING_PUTS

    def clear(self) -> None:
        """Forget all names."""
        self._names.clear()
