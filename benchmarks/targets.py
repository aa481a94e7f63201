"""The marks: what jetstow wants to be, beside the limit and beside other clients.

Every ratio is one of medians within one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.figures import Figures
from benchmarks.plan import MIB, PEERS

US = "jetstow"
THEM = "nats-py"


@dataclass(frozen=True)
class Mark:
    """A mark and what was seen; None where it was not measured."""

    what: str
    wanted: str
    seen: str
    met: bool | None


def marks(figures: Figures) -> list[Mark]:
    """Every mark, met or not."""
    parts = (_large, _files, _small, _many, _others)
    return [mark for part in parts for mark in part(figures)]


def _large(f: Figures) -> Iterator[Mark]:
    yield _ratio(f, "put", "the limit", 0.8, _median("put", "limit"))
    yield _ratio(f, "put", THEM, 2.8, _median("put", THEM))
    yield _ratio(f, "put", "the best peer", 1.0, _best_median("put"))
    yield _ratio(f, "stream", "the limit", 0.6, _median("stream", "limit"))
    yield _ratio(f, "get", "the limit", 0.45, _median("get", "limit"))
    yield _ratio(f, "get", THEM, 60, _median("get", THEM))
    yield _ratio(f, "get", "the next peer's best run", 1.5, _best_run("get"))


def _files(f: Figures) -> Iterator[Mark]:
    yield _ratio(f, "get-file", THEM, 6, _median("get-file", THEM))
    for measure in ("get-file", "put-file"):
        growth = f.cost("growth", measure, US)
        yield _at_most(f"{_title(f, measure)}: growth", None if growth is None else growth / MIB,
                       48, "MiB")  # fmt: skip


def _small(f: Figures) -> Iterator[Mark]:
    yield _ratio(f, "put-small", THEM, 2, _median("put-small", THEM))
    yield _ratio(f, "put-small-at-once", THEM, 5, _median("put-small-at-once", THEM))
    yield _ratio(f, "get-small", THEM, 4, _median("get-small", THEM))
    for client, how in (("limit", "on a bare socket"), (THEM, "by nats-py")):
        direct, ours = f.median("direct-get", client), f.median("get-small", US)
        times = direct / ours if direct and ours else None
        yield _at_most(f"{_title(f, 'get-small')}: time, in direct gets {how}", times, 1.5, "×")


def _many(f: Figures) -> Iterator[Mark]:
    for measure, one in (("many-put", "one-put"), ("many-get", "one-get")):
        yield _without_trouble(f, measure)
        yield _ratio(f, measure, "one stream", 0.8, _median(one, US))


def _others(f: Figures) -> Iterator[Mark]:
    yield _ratio(f, "list-many", THEM, 3, _median("list-many", THEM), less=True)
    yield _at_most(f"{_title(f, 'range')}: round trips", f.median("range-rounds", US), 4, "")
    for measure in ("r3-put", "r3-get"):
        yield _ratio(f, measure, THEM, 1.0, _median(measure, THEM))
    yield _without_trouble(f, "r3-many-put")


# -- kinds of marks ----------------------------------------------------------------------

Yardstick = Callable[[Figures], float | None]


def _ratio(
    f: Figures, measure: str, whom: str, wanted: float, of: Yardstick, *, less: bool = False
) -> Mark:
    """How many times as good as a yardstick."""
    ours, theirs = f.median(measure, US), of(f)
    what, sign = f"{_title(f, measure)}: × {whom}", ">" if wanted == 1.0 else "≥"
    if not ours or not theirs:
        return Mark(what, f"{sign} {wanted:g}", "not measured", None)
    times = theirs / ours if less else ours / theirs
    met = times > wanted if wanted == 1.0 else times >= wanted
    return Mark(what, f"{sign} {wanted:g}", f"{times:.{3 if times < 1 else 2}f}", met)


def _at_most(what: str, seen: float | None, wanted: float, unit: str) -> Mark:
    limit = f"≤ {wanted:g} {unit}".rstrip()
    if seen is None:
        return Mark(what, limit, "not measured", None)
    return Mark(what, limit, f"{seen:.2f} {unit}".rstrip(), seen <= wanted)


def _without_trouble(f: Figures, measure: str) -> Mark:
    what = f"{_title(f, measure)}: errors, slow consumers"
    if not f.samples.get((measure, US)):
        return Mark(what, "none", "not measured", None)
    errors, slow = len(f.errors(measure, US)), f.slow_consumers(measure, US)
    return Mark(what, "none", f"{errors}, {slow}", not errors and not slow)


def _median(measure: str, client: str) -> Yardstick:
    return lambda f: f.median(measure, client)


def _best_median(measure: str) -> Yardstick:
    def best(f: Figures) -> float | None:
        found = (f.median(measure, peer) for peer in _peers(f))
        return max((value for value in found if value is not None), default=None)

    return best


def _best_run(measure: str) -> Yardstick:
    return lambda f: max(
        (value for peer in _peers(f) for value in f.values(measure, peer)), default=None
    )


def _peers(f: Figures) -> list[str]:
    return [client for client in f.clients if client.startswith(PEERS)]


def _title(f: Figures, key: str) -> str:
    return next(measure.title for measure in f.measures if measure.key == key)
