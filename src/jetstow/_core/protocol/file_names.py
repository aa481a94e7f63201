"""Object names as paths of local files: any client can store names such as `../a`."""

from __future__ import annotations

import re
from typing import Final

_CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def is_path_in_folder(name: str) -> bool:
    """Return whether a name is the path of a file in the folder that it is joined to.

    Levels that are empty or `.` would make it the path of another object's file. A backslash
    separates levels on other systems.
    """
    return not any(level in {"", ".", ".."} or "\\" in level for level in name.split("/"))


def has_control_character(name: str) -> bool:
    """Return whether a program that lists the folder of such a file would write one to a terminal.

    Other characters that are not printable are common: macOS puts a narrow no-break space into the
    names of screenshots, and Persian words have zero-width non-joiners.
    """
    return _CONTROL_CHARACTER.search(name) is not None
