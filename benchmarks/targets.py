"""The performance targets of jetstow, relative to the limit and to other clients.

Every ratio is one of medians within one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.figures import Figures
from benchmarks.plan import MIB, PEERS, PREVIOUS, ROUND_TRIPS, SMALL_PARTS

OURS = "jetstow"
NATS_PY = "nats-py"


@dataclass(frozen=True)
class Target:
    """A target and the measured value; `met` is None if it was not measured."""

    name: str
    goal: str
    measured: str
    met: bool | None


def targets(figures: Figures) -> list[Target]:
    """Return every target, met or not."""
    parts = (_large, _files, _small, _many, _others, _elsewhere)
    return [mark for part in parts for mark in part(figures)]


def _large(f: Figures) -> Iterator[Target]:
    yield _ratio(f, "put", "the limit", 0.8, _median("put", "limit"))
    yield _ratio(f, "put", NATS_PY, 2, _median("put", NATS_PY))
    yield _ratio(f, "stream", "the limit", 0.75, _median("stream", "limit"))
    yield _ratio(
        f, "get", "a plain socket that keeps and hashes", 0.9, _median("get-kept", "limit")
    )
    yield _ratio(f, "get-into", "the limit", 0.65, _median("get", "limit"))
    for measure in ("put", "stream"):
        yield _ratio(f, f"encrypted-{measure}", "plain", 0.6, _median(measure, OURS))


def _files(f: Figures) -> Iterator[Target]:
    yield _ratio(f, "get-file", "the limit", 0.8, _median("get-file", "limit"))
    yield _ratio(f, "get-file", "natsio's best run", 1.0, _best_run("get-file", "natsio"))
    for measure in ("get-file", "put-file"):
        growth = f.cost("growth", measure, OURS)
        yield _at_most(f"{_title(f, measure)}: growth", None if growth is None else growth / MIB,
                       48, "MiB")  # fmt: skip


def _small(f: Figures) -> Iterator[Target]:
    yield _ratio(f, "put-small", NATS_PY, 2.2, _median("put-small", NATS_PY))
    yield _ratio(f, "get-small", NATS_PY, 6, _median("get-small", NATS_PY))
    for measure, goal in (
        ("put-small", 1.6), ("put-small-at-once", 2.3), ("replace-small", 1.5),
        ("get-small-at-once", 8),
    ):  # fmt: skip
        yield _ratio(f, measure, "the best peer", goal, _best_median(measure))


def _many(f: Figures) -> Iterator[Target]:
    for measure, one in (("many-put", "one-put"), ("many-get", "one-get")):
        yield _no_errors(f, measure)
        yield _ratio(f, measure, "one stream", 0.8, _median(one, OURS))


def _others(f: Figures) -> Iterator[Target]:
    yield _ratio(f, "list-many", NATS_PY, 2.3, _median("list-many", NATS_PY), less=True)
    yield _ratio(f, "list-many", "nats.js", 1.0, _median("list-many", "nats.js"), less=True)
    yield _at_most(f"{_title(f, 'range')}: round trips", f.median("range-rounds", OURS), 4, "")
    for measure in ("r3-put", "r3-get"):
        yield _ratio(f, measure, NATS_PY, 1.0, _median(measure, NATS_PY))
    yield _no_errors(f, "r3-many-put")


def _elsewhere(f: Figures) -> Iterator[Target]:
    """Yield the targets on three replicas and over long round trips, where others set the limit."""
    prefixes = ["r3-", *(f"rtt{milliseconds}-" for milliseconds in ROUND_TRIPS)]
    measures = [f"{prefix}{part}" for prefix in prefixes for part in SMALL_PARTS]
    measures += [f"{prefix}{op}" for prefix in prefixes[1:] for op in ("put", "stream")]
    for measure in measures:
        yield _ratio(f, measure, NATS_PY, 1.0, _median(measure, NATS_PY))
        yield _ratio(f, measure, "the previous version", 0.9, _median(measure, PREVIOUS))


# -- kinds of targets --------------------------------------------------------------------

Reference = Callable[[Figures], float | None]


def _ratio(
    f: Figures, measure: str, reference_name: str, goal: float, of: Reference, *, less: bool = False
) -> Target:
    """Compare jetstow's median with a reference: how many times as good."""
    ours, theirs = f.median(measure, OURS), of(f)
    name, sign = f"{_title(f, measure)}: × {reference_name}", ">" if goal == 1.0 else "≥"
    if not ours or not theirs:
        return Target(name, f"{sign} {goal:g}", "not measured", None)
    times = theirs / ours if less else ours / theirs
    met = times > goal if goal == 1.0 else times >= goal
    return Target(name, f"{sign} {goal:g}", f"{times:.{3 if times < 1 else 2}f}", met)


def _at_most(name: str, measured: float | None, goal: float, unit: str) -> Target:
    limit = f"≤ {goal:g} {unit}".rstrip()
    if measured is None:
        return Target(name, limit, "not measured", None)
    return Target(name, limit, f"{measured:.2f} {unit}".rstrip(), measured <= goal)


def _no_errors(f: Figures, measure: str) -> Target:
    name = f"{_title(f, measure)}: errors, slow consumers"
    if not f.samples.get((measure, OURS)):
        return Target(name, "none", "not measured", None)
    errors, slow = len(f.errors(measure, OURS)), f.slow_consumers(measure, OURS)
    return Target(name, "none", f"{errors}, {slow}", not errors and not slow)


def _median(measure: str, client: str) -> Reference:
    return lambda f: f.median(measure, client)


def _best_median(measure: str) -> Reference:
    def best(f: Figures) -> float | None:
        found = (f.median(measure, peer) for peer in _peers(f))
        return max((value for value in found if value is not None), default=None)

    return best


def _best_run(measure: str, client: str) -> Reference:
    return lambda f: max(f.values(measure, client), default=None)


def _peers(f: Figures) -> list[str]:
    return [client for client in f.clients if client.startswith(PEERS)]


def _title(f: Figures, key: str) -> str:
    return next(measure.title for measure in f.measures if measure.key == key)
