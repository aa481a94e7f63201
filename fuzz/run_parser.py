"""One parser under atheris: `python -m fuzz.one NAME [FILE…] [-options of libFuzzer]`.

With files and no folder it only feeds them, which is how a finding is seen again.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["jetstow", "fuzz"]):
    from fuzz.targets import PARSERS


def main() -> None:
    """Feed the parser that the command line names until libFuzzer has had enough."""
    program, name, *rest = sys.argv
    atheris.Setup([program, *rest], PARSERS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
