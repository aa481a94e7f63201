"""Names of files and objects that are the same in Unicode normal form C.

macOS gives names in the decomposed form: the file "é" has two code points there, and one on other
systems. Both names are shown in the same way, so they are taken for the same file, unless the
source or the target has both.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable


def normalize(name: str) -> str:
    """Return the name in Unicode normal form C."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def match_names(sources: Collection[str], targets: Collection[str]) -> dict[str, str]:
    """Return the target's name for each name of the source, whether the target has it or not.

    It is the same name, or one that the target has and that is the same when normalized. A name
    that the target does not have is put into the folders that the target has.
    """
    files = _Spellings(sources, targets)
    folders = _Spellings(_folders(sources), _folders(targets))
    return {name: files.find(name) or _in_existing_folder(name, folders) for name in sources}


def _in_existing_folder(name: str, folders: _Spellings) -> str:
    *levels, last = name.split("/")
    original = folder = ""
    for level in levels:
        original = f"{original}{level}/"
        folder = folders.find(original) or f"{folder}{level}/"
    return folder + last


def _folders(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        end = name.rfind("/")
        while end >= 0 and name[: end + 1] not in found:
            found.add(name[: end + 1])
            end = name.rfind("/", 0, end)
    return found


class _Spellings:
    """The names of a target, by their normal form."""

    def __init__(self, sources: Collection[str], targets: Collection[str]) -> None:
        self._targets = set(targets)
        known = set(sources)
        self._unmatched_sources = _by_normal_form(known - self._targets)
        self._unmatched_targets = _by_normal_form(self._targets - known)

    def find(self, name: str) -> str | None:
        """Return the target's spelling of a name; None if it has none, or if it is ambiguous."""
        if name in self._targets:
            return name
        key = normalize(name)
        others = self._unmatched_targets.get(key, [])
        is_unique = len(others) == len(self._unmatched_sources.get(key, ())) == 1
        return others[0] if is_unique else None


def _by_normal_form(names: Iterable[str]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        found[normalize(name)].append(name)
    return found


__all__ = ["match_names", "normalize"]
