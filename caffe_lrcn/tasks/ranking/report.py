"""Mean ranks of the systems, as in the paper's Table 8, and how far the judges agree."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ... import rng
from ...errors import DataError
from .agreement import Agreement, agreement
from .store import Judge, Rank
from .study import Study

# Measures of agreement: field -> name.
_AGREEMENTS = {"kendall_w": "Kendall's W", "kendall_tau": "Kendall's tau-b",
               "krippendorff_alpha": "Krippendorff's alpha"}
_AT_ONCE = 1000  # samples of the bootstrap


@dataclass(frozen=True)
class CriterionReport:
    """What was found by one criterion.

    Args:
        name: the criterion.
        means: of each system, the mean over items of the mean over their judges.
        low, high: ends of the confidence intervals; None if there is one item only.
        agreement: of the judges.
    """

    name: str
    means: list[float]
    low: list[float] | None
    high: list[float] | None
    agreement: Agreement

    def cell(self, system: int) -> str:
        """Return mean and interval of a system as text."""
        text = f"{self.means[system]:.2f}"
        if self.low is not None and self.high is not None:
            text += f" [{self.low[system]:.2f}, {self.high[system]:.2f}]"
        return text


@dataclass(frozen=True)
class Report:
    """What judges have found.

    Args:
        study: its id.
        items: of the study.
        ranked: of these, ranked by one judge or more.
        judges: who have ranked something.
        systems: names, the best on average first.
        criteria: one report each.
        confidence, samples, seed: of the intervals.
    """

    study: str
    items: int
    ranked: int
    judges: list[Judge]
    systems: list[str]
    criteria: list[CriterionReport]
    confidence: float
    samples: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return what is written as JSON."""
        criteria = {}
        for criterion in self.criteria:
            by_system = {}
            for place, system in enumerate(self.systems):
                interval = (None if criterion.low is None or criterion.high is None
                            else [criterion.low[place], criterion.high[place]])
                by_system[system] = {"mean": criterion.means[place], "interval": interval}
            criteria[criterion.name] = {"systems": by_system,
                                        "agreement": asdict(criterion.agreement)}
        return {"study": self.study, "items": self.items, "ranked": self.ranked,
                "rankings": sum(judge.done for judge in self.judges),
                "judges": {judge.name: judge.done for judge in self.judges},
                "criteria": criteria, "confidence": self.confidence, "samples": self.samples,
                "seed": self.seed}


def make_report(study: Study, judges: Sequence[Judge], ranks: Sequence[Rank],
                confidence: float = 0.95, samples: int = 10_000, seed: int = 0) -> Report:
    """Compute means, intervals and agreement.

    Sentences of equal rank share the mean of their places, so that the ranks of S systems always
    add up to 1 + … + S. The intervals are those of a percentile bootstrap over items: they tell how
    much the means would change with other items, and nothing about other judges.

    Raises:
        DataError: nothing has been ranked yet.
    """
    if not ranks:
        raise DataError("nothing has been ranked yet", remedy="'caffe-lrcn rank serve' is for that")
    by_criterion = {name: _rankings(study, ranks, name) for name in study.criteria}
    # (criteria, items, systems)
    of_items = np.array([[judged.mean(0) for judged in rankings]
                         for rankings in by_criterion.values()])
    means, items = of_items.mean(1), of_items.shape[1]
    ends = _bootstrap(of_items, confidence, samples, seed) if items > 1 else None
    order = np.argsort(means.mean(0), kind="stable")
    return Report(
        study.id, len(study.items), items, [judge for judge in judges if judge.done],
        [study.systems[system] for system in order],
        [CriterionReport(name, means[place][order].tolist(),
                         None if ends is None else ends[0, place][order].tolist(),
                         None if ends is None else ends[1, place][order].tolist(),
                         agreement(rankings))
         for place, (name, rankings) in enumerate(by_criterion.items())],
        confidence, samples, seed)


def _bootstrap(of_items: np.ndarray, confidence: float, samples: int, seed: int) -> np.ndarray:
    """Return the ends of the intervals of the means over items, (2, criteria, systems)."""
    items = of_items.shape[1]
    draw = rng.generator(seed, "bootstrap of a ranking")
    means = []
    for start in range(0, samples, _AT_ONCE):
        drawn = draw.integers(items, size=(min(_AT_ONCE, samples - start), items))
        drawn += np.arange(len(drawn))[:, None] * items  # each sample counts by itself
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        means.append(np.tensordot(times / items, of_items, (1, 1)))
    tail = 50 * (1 - confidence)
    return np.percentile(np.concatenate(means), [tail, 100 - tail], axis=0)


def _rankings(study: Study, ranks: Sequence[Rank], criterion: str) -> list[np.ndarray]:
    """Return (judges, systems) of each item that has been ranked."""
    from scipy.stats import rankdata
    chosen: dict[int, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for rank in ranks:
        if rank.criterion == criterion:
            chosen[rank.item][rank.judge][rank.system] = rank.rank
    rows = [[of_judge[system] for system in study.systems]
            for item in sorted(chosen) for of_judge in chosen[item].values()]
    counts = [len(chosen[item]) for item in sorted(chosen)]
    return np.split(rankdata(rows, axis=1), np.cumsum(counts)[:-1])


def agreements(report: Report) -> list[list[str]]:
    """Return a table: the criteria, then a row for each measure of agreement."""
    measured = [asdict(criterion.agreement) for criterion in report.criteria]
    return [["", *(criterion.name for criterion in report.criteria)],
            *([name, *("–" if values[field] is None else f"{values[field]:.2f}"
                       for values in measured)] for field, name in _AGREEMENTS.items())]


def counted(report: Report) -> list[str]:
    """Return lines that say how much was ranked, and what the numbers are."""
    judges = ", ".join(f"{judge.name} {judge.done}" for judge in report.judges)
    common = report.criteria[0].agreement.items
    return [f"study {report.study}: {len(report.systems)} systems, {report.ranked} of "
            f"{report.items} items ranked",
            f"rankings by judge: {judges}",
            f"{common} items ranked by two judges or more",
            f"mean ranks (1 is best) with {report.confidence * 100:g}% confidence intervals"]
