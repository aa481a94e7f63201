"""Run scenarios with faults in rotation for a given time: `make soak`.

`make soak MINUTES=5 SERVER=2.10.26` selects the duration, and the server of the scenarios that have
one. `--only` and `--seed` repeat a run.

It prints a table: the runs, the operations, the errors (the outcome of a call is unknown) and what
was lost.
The exit code is 1 if anything was. Ctrl-C stops it early.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import sys
import time
import traceback

from rich.console import Console
from rich.table import Table

from tests.model.run import Tally
from tests.model.scenarios import SCENARIOS, Report, Soak
from tests.support import versions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--server", default=versions.LATEST)
    parser.add_argument("--only", choices=SCENARIOS, help="run only this scenario")
    parser.add_argument("--seed", type=int, help="run once, with this seed")
    wanted = parser.parse_args()
    logging.getLogger("jetstow").setLevel(logging.CRITICAL)  # the faults are intended
    console, soak = Console(), Soak(wanted.server)
    names = [wanted.only] if wanted.only else list(SCENARIOS)
    reports = {name: Report() for name in names}
    violations: list[tuple[str, int, BaseException]] = []
    until = time.monotonic() + 60 * wanted.minutes
    try:
        for number, name in enumerate(itertools.cycle(names)):
            # Each scenario runs once at least.
            if number >= len(names) and (wanted.seed is not None or time.monotonic() > until):
                break
            seed = random.randrange(10**9) if wanted.seed is None else wanted.seed
            report = reports[name]
            report.runs += 1
            try:
                SCENARIOS[name](soak, seed, report)
            except Exception as error:  # noqa: BLE001 - report it and continue
                report.lost += 1
                violations.append((name, seed, error))
                console.print(f"[red]{name}, seed {seed}: {error}")
    except KeyboardInterrupt:
        console.print("interrupted")
    if soak.tally.operations:
        _print_operations(console, soak.tally)
    _print_scenarios(console, wanted.server, reports)
    for name, seed, violation in violations:
        console.print(f"\n{name}, seed {seed} (again with --only {name!r} --seed {seed})")
        console.print("".join(traceback.format_exception(violation))[-20_000:], markup=False)
    return 1 if violations else 0


def _print_scenarios(console: Console, server: str, reports: dict[str, Report]) -> None:
    columns = ("scenario", "runs", "operations", "errors", "lost", "notes")
    table = Table(*columns, title=f"nats-server {server}")
    for name, report in reports.items():
        counts = (report.runs, report.operations, report.errors, report.lost)
        notes = ", ".join(f"{count:,} {note}" for note, count in sorted(report.notes.items()))
        table.add_row(name, *(f"{count:,}" for count in counts), notes)
    console.print(table)


def _print_operations(console: Console, tally: Tally) -> None:
    outcomes = ("done", "refused", "unknown")
    table = Table("operation", *outcomes, title="operations of the model")
    for verb in sorted({verb for verb, _ in tally.outcomes}):
        table.add_row(verb, *(f"{tally.outcomes[verb, outcome]:,}" for outcome in outcomes))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
