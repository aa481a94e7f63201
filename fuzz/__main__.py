"""Fuzz all parsers with atheris and print a table of the results.

    python -m fuzz [--minutes 10] [--only parser,subjects]

Inputs that reach new code are stored in `.cache/fuzz/<parser>/corpus`, where the next run starts.
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

# Processes at the same time. Each uses one core.
PROCESSES: Final = 2

# An input that exceeds a limit is a finding, too. In seconds and MiB.
MAX_SECONDS: Final = 10
MAX_MEMORY: Final = 1024

_COVERED: Final = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_EXECUTED: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_WRITTEN: Final = re.compile(r"Test unit written to (\S+)")


@dataclass(frozen=True)
class Result:
    """The result of one parser."""

    name: str
    executed: int
    covered: int
    features: int
    corpus: int
    code: int
    finding: str
    output: str

    @property
    def is_fine(self) -> bool:
        return not self.code and not self.finding


def run(name: str, seconds: int) -> Result:
    """Fuzz one parser for so many seconds, or until the first finding."""
    folder = CACHE / name
    corpus, seeds = folder / "corpus", folder / "seeds"
    for path in (corpus, seeds):
        path.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(PARSERS[name].seeds):
        (seeds / f"{number}").write_bytes(seed)
    command = [
        sys.executable, "-m", "fuzz.run_parser", name, str(corpus), str(seeds),
        f"-max_total_time={seconds}", f"-timeout={MAX_SECONDS}", f"-rss_limit_mb={MAX_MEMORY}",
        f"-artifact_prefix={folder}/", "-print_final_stats=1", "-max_len=4096",
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - this program
        command, capture_output=True, text=True, errors="replace", check=False
    )
    # The traceback, or libFuzzer's report of an input that exceeds a limit.
    output = done.stdout.rpartition("Uncaught Python exception: ===")[2] or done.stderr
    coverage = _COVERED.findall(done.stderr) or [("0", "0", "0")]
    executed, written = _EXECUTED.search(done.stderr), _WRITTEN.search(done.stderr)
    covered, features, corpus_size = map(int, coverage[-1])
    return Result(
        name=name,
        executed=int(executed[1]) if executed else 0,
        covered=covered,
        features=features,
        corpus=corpus_size,
        code=done.returncode,
        finding=written[1] if written else "",
        output=output.strip()[-2000:],
    )


def report(results: list[Result]) -> str:
    """Return the table, and the command that reproduces each finding."""
    lines = [f"{'parser':<17} {'inputs':>10} {'edges':>6} {'features':>8} {'corpus':>6}  finding"]
    for result in results:
        finding = "none" if result.is_fine else result.finding or f"exit code {result.code}"
        lines.append(
            f"{result.name:<17} {result.executed:>10,} {result.covered:>6} {result.features:>8} "
            f"{result.corpus:>6}  {finding}"
        )
    for result in results:
        if not result.is_fine:
            lines += ["", f"{result.name}: {result.output}"]
            lines += [
                "reproduce with:",
                f"    {sys.executable} -m fuzz.run_parser {result.name} {result.finding}",
            ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Fuzz the selected parsers and return the exit code: 1 if there is a finding."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for all parsers together")
    parser.add_argument("--only", default="", help="parsers, separated by commas")
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or list(PARSERS)
    if unknown := set(names) - set(PARSERS):
        parser.error(f"unknown parser {', '.join(sorted(unknown))}; parsers: {', '.join(PARSERS)}")
    seconds = max(1, round(options.minutes * 60 * min(PROCESSES, len(names)) / len(names)))
    with ThreadPoolExecutor(PROCESSES) as pool:
        results = list(pool.map(lambda name: run(name, seconds), names))
    sys.stdout.write(report(results))
    return int(not all(result.is_fine for result in results))


if __name__ == "__main__":
    sys.exit(main())
