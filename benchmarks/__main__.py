"""Run the benchmark and write the report: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import environment, plan, report
from benchmarks.process import ROOT
from benchmarks.programs import all_clients
from benchmarks.runner import Runner

RESULTS = ROOT / "benchmarks" / "results"
PARTIAL_RESULTS = ROOT / ".cache" / "bench"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=0, help="default 5; with --quick 2")
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke test")
    parser.add_argument(
        "--only", default="", help="tasks, for example put,get,small; writes to .cache/bench"
    )
    parser.add_argument(
        "--base", default="", metavar="REVISION", help="compare with this git revision of jetstow"
    )
    parser.add_argument("--report", metavar="JSON", help="write the report of a finished run again")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    if arguments.report:
        path = Path(arguments.report)
        return _write(json.loads(path.read_text()), path.with_suffix(""))
    scale = plan.QUICK if arguments.quick else plan.Scale()
    only = {part.strip() for part in arguments.only.split(",") if part.strip()}
    chosen = [task for task in plan.tasks(scale) if not only or task.key in only]
    if unknown := only - {task.key for task in chosen}:
        known = sorted({task.key for task in plan.tasks(scale)})
        raise SystemExit(f"no such task: {', '.join(sorted(unknown))}; there are {known}")
    to_keep = not only and not arguments.quick
    base = (
        RESULTS / "latest"
        if to_keep
        else PARTIAL_RESULTS / ("quick" if arguments.quick else "some")
    )
    repeats = arguments.repeats or (2 if arguments.quick else 5)
    run = _run(chosen, scale, repeats, arguments.base, whole=not only)
    base.parent.mkdir(parents=True, exist_ok=True)
    base.with_suffix(".json").write_text(json.dumps(run, indent=1) + "\n")
    return _write(run, base)


def _run(
    chosen: list[plan.Task], scale: plan.Scale, repeats: int, base: str, *, whole: bool
) -> dict[str, object]:
    programs = all_clients(base)
    notes = {f"all/{one.name}": one.missing for one in programs.values() if one.missing}
    for where, note in notes.items():
        print(f"{where.partition('/')[2]} is skipped: {note}")
    begun = time.monotonic()
    # The servers store their data in the same temporary directory.
    with tempfile.TemporaryDirectory(prefix="jetstow-bench-") as folder:
        runner = Runner(programs, Path(folder), repeats, _log)
        runner.results.notes |= notes
        for number, task in enumerate(chosen, 1):
            minutes = (time.monotonic() - begun) / 60
            print(f"[{number}/{len(chosen)}, {minutes:.1f} min] {task.key}: {task.op}", flush=True)
            runner.run(task)
    return {
        "environment": environment.describe(programs.values()),
        "scale": scale.name,
        "repeats": repeats,
        "whole": whole,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        **runner.results.raw(),
    }


def _log(words: str) -> None:
    print(words, flush=True)


def _write(run: dict[str, object], base: Path) -> None:
    text = report.markdown(run)
    base.with_suffix(".md").write_text(text)
    # In its own process: only the plot needs matplotlib.
    drawing = [sys.executable, "-m", "benchmarks.plot", str(base.with_suffix(".json"))]
    drawn = subprocess.run(drawing, cwd=ROOT, check=False).returncode == 0
    print(f"\n{text}")
    kinds = "json,md,png,svg" if drawn else "json,md"
    print(f"written: {base.resolve().relative_to(ROOT)}.{{{kinds}}}")


if __name__ == "__main__":
    main()
