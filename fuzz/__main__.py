"""Every parser in turn under atheris, and a table of what came of it.

    python -m fuzz [--minutes 10] [--only frames,names]

What reaches new code is kept in `.cache/fuzz/<parser>/corpus` and is where the next run begins.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fuzz.targets import PARSERS

CACHE: Final = Path(__file__).resolve().parents[1] / ".cache" / "fuzz"

# Two at a time: each takes one core.
AT_ONCE: Final = 2

# An input that takes longer, in seconds, or more memory, in MiB, is a finding as well.
SLOW: Final = 10
LARGE: Final = 1024

_COVERED: Final = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_EXECUTED: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_WRITTEN: Final = re.compile(r"Test unit written to (\S+)")


@dataclass(frozen=True)
class Result:
    """What became of one parser."""

    name: str
    executed: int
    covered: int
    features: int
    corpus: int
    code: int
    finding: str
    said: str

    @property
    def is_fine(self) -> bool:
        return not self.code and not self.finding


def run(name: str, seconds: int) -> Result:
    """Fuzz one parser for so long, or until something is found."""
    folder = CACHE / name
    corpus, seeds = folder / "corpus", folder / "seeds"
    for path in (corpus, seeds):
        path.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(PARSERS[name].seeds):
        (seeds / f"{number}").write_bytes(seed)
    command = [
        sys.executable, "-m", "fuzz.one", name, str(corpus), str(seeds),
        f"-max_total_time={seconds}", f"-timeout={SLOW}", f"-rss_limit_mb={LARGE}",
        f"-artifact_prefix={folder}/", "-print_final_stats=1", "-max_len=4096",
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - this very program
        command, capture_output=True, text=True, errors="replace", check=False
    )
    # The traceback, or what libFuzzer says of an input that takes too long or too much.
    said = done.stdout.rpartition("Uncaught Python exception: ===")[2] or done.stderr
    told = _COVERED.findall(done.stderr) or [("0", "0", "0")]
    executed, written = _EXECUTED.search(done.stderr), _WRITTEN.search(done.stderr)
    covered, features, kept = map(int, told[-1])
    return Result(
        name=name,
        executed=int(executed[1]) if executed else 0,
        covered=covered,
        features=features,
        corpus=kept,
        code=done.returncode,
        finding=written[1] if written else "",
        said=said.strip()[-2000:],
    )


def report(results: list[Result]) -> str:
    """The table, and how to see each finding again."""
    lines = [f"{'parser':<10} {'inputs':>10} {'edges':>6} {'features':>8} {'corpus':>6}  found"]
    for one in results:
        found = "nothing" if one.is_fine else one.finding or f"exit code {one.code}"
        lines.append(
            f"{one.name:<10} {one.executed:>10,} {one.covered:>6} {one.features:>8} "
            f"{one.corpus:>6}  {found}"
        )
    for one in results:
        if not one.is_fine:
            lines += ["", f"{one.name}: {one.said}"]
            lines += ["again with:", f"    {sys.executable} -m fuzz.one {one.name} {one.finding}"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """0, or 1 if anything was found."""
    asked = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    asked.add_argument("--minutes", type=float, default=10, help="of all parsers together")
    asked.add_argument("--only", default="", help="these, with commas between them")
    options = asked.parse_args()
    names = [name for name in options.only.split(",") if name] or list(PARSERS)
    if unknown := set(names) - set(PARSERS):
        asked.error(f"no such parser: {', '.join(sorted(unknown))}; there are {', '.join(PARSERS)}")
    seconds = max(1, round(options.minutes * 60 * min(AT_ONCE, len(names)) / len(names)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda name: run(name, seconds), names))
    sys.stdout.write(report(results))
    return int(not all(one.is_fine for one in results))


if __name__ == "__main__":
    sys.exit(main())
