"""Where names of objects would become code, and where they stay arguments."""

from __future__ import annotations

import shlex

import pytest

from jetstow.cli.exec_command import find_code

CODE = (
    "sh -c 'echo {}'",
    "sh -c {}",
    "/bin/bash -lc 'echo {}'",
    "bash -x -c 'echo {}'",
    "bash -c -x 'echo {}'",
    "bash -c -o pipefail 'echo {}'",
    "bash -co pipefail 'echo {}'",
    "bash -o pipefail -c 'echo {}'",
    "sudo -u me sh -c 'echo {}'",
    "env A=b python3.11 -W ignore -c 'print(\"{}\")'",
    "env -S 'sh -c \"echo {}\"'",
    "fish --command='echo {}'",
    "fish --command 'echo {}'",
    "perl -pe 's/x/{}/'",
    "perl '-eprint {}'",
    "perl -e 'a' -e 'b {}'",
    "node --eval 'f({})'",
    "ruby -e -x{}",
    "su me -c 'echo {}'",
    "flock lock -c 'echo {}'",
    "ssh host convert {}",
    "{} x",
    "/bin/{}",
)
ARGUMENTS = (
    "convert {}",
    "convert --at={} -c {}",
    "sh -c 'echo $1' sh {}",
    "sh -c 'echo $1' sh --at={}",
    "bash -c -o pipefail 'echo $1' bash {}",
    "sh script.sh -c {}",
    "sh {}",
    "env A={} convert {}",
    "python3 -c 'import sys' {}",
    "python3 script.py -c {}",
    "perl -ne 'print' {}",
    "grep -c {}",
    "sh -c 'echo'",
    "- -- {}",
)


@pytest.mark.parametrize("line", CODE)
def test_placeholder_in_code(line: str) -> None:
    assert find_code(shlex.split(line)) is not None


@pytest.mark.parametrize("line", ARGUMENTS)
def test_placeholder_in_arguments(line: str) -> None:
    assert find_code(shlex.split(line)) is None
