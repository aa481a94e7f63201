"""Object names as paths of local files: any client can store names such as `../a`."""

from __future__ import annotations


def is_path_in_folder(name: str) -> bool:
    """Return whether a name is the path of a file in the folder that it is joined to.

    Levels that are empty or `.` would make it the path of another object's file. A backslash
    separates levels on other systems.
    """
    return not any(level in {"", ".", ".."} or "\\" in level for level in name.split("/"))
