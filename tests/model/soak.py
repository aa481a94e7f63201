"""Run the model test and storms of cancellations for a given time: `make soak`.

`make soak MINUTES=5 SERVER=2.10.26` selects the duration and the server.

It prints the operations, the faults, and the seed of each violation. The exit code is 1 if there
is a violation. Ctrl-C stops it early.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
import traceback
from collections import Counter

from rich.console import Console
from rich.table import Table

from tests.model.machine import run_seed
from tests.model.run import Tally
from tests.support import versions
from tests.support.cancellation_storm import run_storm
from tests.support.servers import NatsServer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--server", default=versions.LATEST)
    parser.add_argument("--seed", type=int, help="run only this seed")
    wanted = parser.parse_args()
    console = Console()
    tally, violations = Tally(), list[tuple[int, BaseException]]()
    storms = Counter[str]()
    until = time.monotonic() + 60 * wanted.minutes
    seeds = 0
    try:
        while seeds == 0 or (wanted.seed is None and time.monotonic() < until):
            number = random.randrange(10**9) if wanted.seed is None else wanted.seed
            seeds += 1
            # A new server for each seed: a violation must not affect the next seed.
            with NatsServer(wanted.server) as server:
                try:
                    run_seed(server, number, tally)
                    for concurrent in (1, 8):
                        storms += asyncio.run(run_storm(server.url, number, 100, concurrent))
                except Exception as error:  # noqa: BLE001 - report it and continue
                    violations.append((number, error))
                    console.print(f"[red]seed {number}: {error}")
            if seeds % 10 == 0:
                console.print(f"{seeds} seeds: {tally.summary()}")
    except KeyboardInterrupt:
        console.print("interrupted")
    _report(console, wanted.server, seeds, tally, violations)
    console.print(f"calls in storms of cancellations: {dict(storms)}")
    return 1 if violations else 0


def _report(
    console: Console,
    server: str,
    seeds: int,
    tally: Tally,
    violations: list[tuple[int, BaseException]],
) -> None:
    outcomes = ("done", "refused", "unknown")
    table = Table("operation", *outcomes, title=f"nats-server {server}, {seeds} seeds")
    for verb in sorted({verb for verb, _ in tally.outcomes}):
        table.add_row(verb, *(f"{tally.outcomes[verb, outcome]:,}" for outcome in outcomes))
    totals = [
        sum(count for (_, each), count in tally.outcomes.items() if each == outcome)
        for outcome in outcomes
    ]
    table.add_section()
    table.add_row(f"all {tally.operations:,}", *(f"{total:,}" for total in totals))
    console.print(table)
    faults = Table("fault", "times")
    for kind, count in sorted(tally.faults.items()):
        faults.add_row(kind, f"{count:,}")
    console.print(faults)
    console.print(f"violations: {len(violations)}")
    for number, error in violations:
        console.print(f"\nseed {number} (again with --seed {number})")
        console.print("".join(traceback.format_exception(error))[-20_000:], markup=False)


if __name__ == "__main__":
    sys.exit(main())
