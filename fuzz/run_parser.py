"""Fuzz one parser with atheris: `python -m fuzz.run_parser NAME [FILE…] [libFuzzer options]`.

With files and without a directory, it runs these inputs only, to reproduce a finding.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["jetstow", "fuzz"]):
    from fuzz.targets import PARSERS


def main() -> None:
    """Fuzz the parser that the command line names, until libFuzzer ends."""
    program, name, *rest = sys.argv
    atheris.Setup([program, *rest], PARSERS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
