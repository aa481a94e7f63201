"""The command line.

    jetstow mb configs
    jetstow put settings.toml configs/
    jetstow ls -l configs
    jetstow cat configs/settings.toml | less

The commands use the public API: `jetstow.connect()` and the object store. `commands/` has one
module per command. A command is an asynchronous function that takes a `Session` and returns or
yields a `Result`. `command.py` runs it, `render.py` formats the result, `errors.py` maps exceptions
to messages and exit codes.
"""

from __future__ import annotations

import os
import sys

from jetstow.cli.version import print_version


def main() -> None:
    """Run the command line of this process, and exit."""
    try:
        if sys.argv[1:] == ["--version"]:
            print_version()  # without typer, whose import takes ten times as long as the rest
            return
        from jetstow.cli import completion_scripts
        from jetstow.cli.app import app

        if completion_scripts.LINE_VARIABLE in os.environ:
            completion_scripts.run(lambda: app(prog_name="jetstow"))
        else:
            app(prog_name="jetstow")
    except KeyboardInterrupt:  # during the imports, before a command runs
        sys.exit(130)


__all__ = ["main"]
