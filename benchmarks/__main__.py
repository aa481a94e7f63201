"""`python -m benchmarks`: run it, write the report, say which marks are met."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import environment, plan, report
from benchmarks.crew import crew
from benchmarks.process import ROOT
from benchmarks.runner import Runner

RESULTS = ROOT / "benchmarks" / "results"
ELSEWHERE = ROOT / ".cache" / "bench"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=0, help="5; with --quick 2")
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke test")
    parser.add_argument("--only", default="", help="tasks: put,get,small; the report goes aside")
    parser.add_argument("--report", metavar="JSON", help="only write the report of a run again")
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
    base = RESULTS / "latest" if to_keep else ELSEWHERE / ("quick" if arguments.quick else "some")
    repeats = arguments.repeats or (2 if arguments.quick else 5)
    run = _run(chosen, scale, repeats, whole=not only)
    base.parent.mkdir(parents=True, exist_ok=True)
    base.with_suffix(".json").write_text(json.dumps(run, indent=1) + "\n")
    return _write(run, base)


def _run(
    chosen: list[plan.Task], scale: plan.Scale, repeats: int, *, whole: bool
) -> dict[str, object]:
    members = crew()
    notes = {f"all/{one.name}": one.missing for one in members.values() if one.missing}
    for where, note in notes.items():
        print(f"{where.partition('/')[2]} takes no part: {note}")
    begun = time.monotonic()
    # The servers keep their data in the same place: a disk, if that is one.
    with tempfile.TemporaryDirectory(prefix="jetstow-bench-") as folder:
        runner = Runner(members, Path(folder), repeats, _tell)
        runner.results.notes |= notes
        for number, task in enumerate(chosen, 1):
            minutes = (time.monotonic() - begun) / 60
            print(f"[{number}/{len(chosen)}, {minutes:.1f} min] {task.key}: {task.op}", flush=True)
            runner.run(task)
    return {
        "environment": environment.described(members.values()),
        "scale": scale.name,
        "repeats": repeats,
        "whole": whole,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        **runner.results.raw(),
    }


def _tell(words: str) -> None:
    print(words, flush=True)


def _write(run: dict[str, object], base: Path) -> None:
    text = report.markdown(run)
    base.with_suffix(".md").write_text(text)
    # A process of its own: it is the only one that needs the plotting library.
    drawing = [sys.executable, "-m", "benchmarks.plot", str(base.with_suffix(".json"))]
    drawn = subprocess.run(drawing, cwd=ROOT, check=False).returncode == 0
    print(f"\n{text}")
    kinds = "json,md,png,svg" if drawn else "json,md"
    print(f"written: {base.resolve().relative_to(ROOT)}.{{{kinds}}}")


if __name__ == "__main__":
    main()
