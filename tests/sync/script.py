"""Run small programs: their output and their exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass

# Python 3.12 and later warn when a process with threads forks.
STRICT = {"PYTHONWARNINGS": "error,ignore:This process:DeprecationWarning"}

BEGIN = """\
import os, sys, threading
import jetstow.sync as jetstow

"""


@dataclass
class ProgramResult:
    """The exit code and the output of a program."""

    code: int
    out: str
    err: str


def run_script(source: str, url: str) -> ProgramResult:
    """Run a program with `NATS_URL` set. Warnings are errors in it."""
    process = subprocess.run(
        [sys.executable, "-c", BEGIN + textwrap.dedent(source)],
        env={**os.environ, **STRICT, "NATS_URL": url},
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    return ProgramResult(process.returncode, process.stdout, process.stderr)
