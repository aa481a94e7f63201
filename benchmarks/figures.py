"""Medians, minima and maxima of a run's samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any

from benchmarks import plan
from benchmarks.plan import GIB, MIB, Kind, Measure


class Figures:
    """The samples of a run by measure and client."""

    def __init__(self, run: Mapping[str, Any]) -> None:
        self.scale = plan.Scale() if run["scale"] == "full" else plan.QUICK
        self.measures = plan.measures(self.scale)
        self.clients = list(run["environment"]["clients"])
        self.samples: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for sample in run["samples"]:
            self.samples.setdefault((sample["measure"], sample["client"]), []).append(sample)
        self._kinds: dict[str, Kind] = {measure.key: measure.kind for measure in self.measures}
        if "limit" not in self.clients:
            self.clients.insert(0, "limit")

    def present(self) -> list[Measure]:
        """Return the measures that at least one client has a figure for."""
        samples = {measure for measure, _ in self.samples}
        return [measure for measure in self.measures if measure.key in samples]

    def values(self, measure: str, client: str) -> list[float]:
        """Return one figure per repeat in the unit of the measure, without failed ones."""
        kind = self._kinds[measure]
        samples = self.samples.get((measure, client), [])
        return [_value(sample, kind) for sample in samples if not sample["errors"]]

    def median(self, measure: str, client: str) -> float | None:
        values = self.values(measure, client)
        return median(values) if values else None

    def different_size(self, measure: str, client: str) -> int:
        """Return the size that a client got if the others got another one, else 0."""
        sizes = Counter(
            samples[0]["size"] for (which, _), samples in self.samples.items() if which == measure
        )
        mine = self.samples.get((measure, client))
        usual = sizes.most_common(1)
        return mine[0]["size"] if mine and usual and mine[0]["size"] != usual[0][0] else 0

    def cost(self, what: str, measure: str, client: str) -> float | None:
        """Return the median of a sample's field; `cpu` and `server_cpu` in seconds per GiB."""
        samples = self.samples.get((measure, client))
        if not samples:
            return None
        values = [float(sample[what]) for sample in samples]
        if what.endswith("cpu"):
            values = [
                value * GIB / sample["size"]
                for value, sample in zip(values, samples, strict=True)
                if sample["size"]
            ]
        return median(values) if values else None

    def errors(self, measure: str, client: str) -> list[str]:
        samples = self.samples.get((measure, client), [])
        return [error for sample in samples for error in sample["errors"]]

    def slow_consumers(self, measure: str, client: str) -> int:
        return sum(s["slow_consumers"] for s in self.samples.get((measure, client), []))


def _value(sample: Mapping[str, Any], kind: Kind) -> float:
    seconds = float(sample["seconds"])
    if kind == "MiB/s":
        return float(sample["size"]) / MIB / seconds
    if kind == "per second":
        return float(sample["count"]) / seconds
    if kind == "rounds":
        return float(sample["rounds"])
    return seconds * 1000 if kind == "ms" else seconds
