"""Programs of a few lines, run to their end: what they print, and how they exit."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass

# Newer Pythons warn of every fork of a process that has threads.
STRICT = {"PYTHONWARNINGS": "error,ignore:This process:DeprecationWarning"}

BEGIN = """\
import os, sys, threading
import jetstow.sync as jetstow

"""


@dataclass
class Ended:
    """How a program ended."""

    code: int
    out: str
    err: str


def run_script(source: str, url: str) -> Ended:
    """Run a program with `NATS_URL` set. Warnings are errors in it."""
    ended = subprocess.run(
        [sys.executable, "-c", BEGIN + textwrap.dedent(source)],
        env={**os.environ, **STRICT, "NATS_URL": url},
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)
