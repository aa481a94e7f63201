"""The command line.

    jetstow mb configs
    jetstow put settings.toml configs/
    jetstow ls -l configs
    jetstow cat configs/settings.toml | less

It uses what a program would use, `jetstow.connect()` and the object store, and adds nothing
to it. A command is an asynchronous function that is given a `Session` and returns or yields
an `Answer`; `command.py` runs it, `render.py` shows what it said, `failure.py` what went
wrong.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process, and exit."""
    try:
        from jetstow.cli.app import app

        app(prog_name="jetstow")
    except KeyboardInterrupt:  # before there was a command to interrupt
        sys.exit(130)


__all__ = ["main"]
