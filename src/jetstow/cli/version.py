"""The version that `jetstow --version` prints."""

from __future__ import annotations

import jetstow


def print_version() -> None:
    """Print the name and the version of the package."""
    print(f"jetstow {jetstow.__version__}")
