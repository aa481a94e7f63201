"""The figures, targets and report of the benchmark."""

# ruff: noqa: RUF001 - titles have a multiplication sign

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import plan
from benchmarks.figures import Figures
from benchmarks.report import markdown
from benchmarks.targets import targets

ENVIRONMENT = {
    "date": "today", "commit": "c", "python": "3", "system": "s", "cpu": "", "cpus": 2,
    "nats-server": "2", "clients": dict.fromkeys(("limit", "jetstow", "nats-py"), "1"),
}  # fmt: skip


def sample(measure: str, client: str, seconds: float, **fields: Any) -> dict[str, Any]:
    numbers = dict.fromkeys(("cpu", "server_cpu", "growth", "faults", "slow_consumers"), 0)
    counts = {"size": 256 << 20, "count": 0, "rounds": 0, "errors": []}
    return {"measure": measure, "client": client, "seconds": seconds, **numbers, **counts} | fields


def run(*samples: dict[str, Any], whole: bool = True) -> dict[str, Any]:
    head = {"environment": ENVIRONMENT, "scale": "full", "repeats": 3, "minutes": 1}
    return {**head, "whole": whole, "samples": list(samples), "notes": {"get/x": "it hung"}}


@pytest.mark.parametrize("scale", [plan.Scale(), plan.QUICK])
def test_tasks_and_measures_match(scale: plan.Scale) -> None:
    known = {measure.key for measure in plan.measures(scale)}
    several = {"small", "many", "encrypted"}  # an operation of several measures
    for task in plan.tasks(scale):
        assert task.clients
        if task.op not in several:
            assert task.names.get(task.op, task.op) in known
        assert set(task.names.values()) <= known


def test_medians_and_ratios() -> None:
    ours = [sample("put", "jetstow", seconds) for seconds in (1.0, 0.5, 4.0)]
    found = Figures(run(*ours, sample("put", "nats-py", 4.0), sample("put", "limit", 0.5)))
    assert found.median("put", "jetstow") == 256
    seen = {target.name: target for target in targets(found)}
    assert seen["put 256 MiB from memory: × nats-py"].met is True
    assert seen["put 256 MiB from memory: × nats-py"].measured == "4.00"
    assert seen["put 256 MiB from memory: × the limit"].met is False
    assert seen["get 256 MiB into the caller's buffer: × the limit"].met is None


def test_comparison_with_the_previous_version() -> None:
    """A rate is better if it is higher, a time if it is lower."""
    samples = [sample("put", "jetstow", 1.0), sample("put", "previous", 2.0)]
    samples += [sample("list-many", "jetstow", 1.0), sample("list-many", "previous", 1.5)]
    assert "Compared" not in markdown(run(*samples[:1]))
    text = markdown(run(*samples)).partition("## Compared")[2]
    assert "| put 256 MiB from memory | 256     | 128      | 2.00  |" in text
    assert "| list 100,000 objects    | 1.00    | 1.50     | 1.50  |" in text


def test_failed_transfer_has_a_note_instead_of_a_figure() -> None:
    failed = sample("many-put", "jetstow", 0.1, errors=["it broke"], slow_consumers=2)
    (target,) = (
        m
        for m in targets(Figures(run(failed)))
        if m.name.endswith("slow consumers") and m.met is False
    )
    assert target.measured == "1, 2"
    text = markdown(run(failed, whole=False))
    assert "failed" in text
    assert "many-put/jetstow: 1 errors, the first: it broke" in text
    assert "get/x: it hung" in text
    assert "not measured" not in text


def test_client_with_another_object_size() -> None:
    text = markdown(
        run(
            sample("get", "limit", 1.0),
            sample("get", "jetstow", 1.0),
            sample("get", "nats-py", 1.0, size=16 << 20),
        )
    )
    assert "16.0 (once) of 16 MiB" in text
