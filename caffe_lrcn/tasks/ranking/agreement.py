"""How far judges agree who have ranked the same things."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """Of one criterion; None where no two judges have ranked the same item.

    Args:
        items: ranked by two judges or more.
        kendall_w: Kendall's coefficient of concordance, 0 to 1, the mean over these items; two
            judges who rank at random have 1/2 on average, many have 0.
        kendall_tau: tau-b of two judges, -1 to 1, the mean over all pairs and items; 0 by chance.
        krippendorff_alpha: of the ranks, as numbers on an interval scale: 1 for full agreement,
            0 by chance.
    """

    items: int
    kendall_w: float | None
    kendall_tau: float | None
    krippendorff_alpha: float | None


def agreement(rankings: Sequence[np.ndarray]) -> Agreement:
    """Compare judges.

    Args:
        rankings: of each item (judges, systems): ranks whose ties share the mean of their places.

    Source: M. Kendall, Rank Correlation Methods, chapters 3 and 6; K. Krippendorff, Content
    Analysis, chapter 11.
    """
    common = [ranks for ranks in rankings if len(ranks) > 1]
    w = [value for value in map(_concordance, common) if value is not None]
    taus = [value for ranks in common for value in _taus_b(ranks)]
    return Agreement(len(common), float(np.mean(w)) if w else None,
                     float(np.mean(taus)) if taus else None, _alpha(common))


def _concordance(ranks: np.ndarray) -> float | None:
    """Return Kendall's W with its correction for ties; None if all judges tie everything."""
    judges, systems = ranks.shape
    deviations = ranks.sum(0) - judges * (systems + 1) / 2
    # t systems of one rank: each of them counts t^2 - 1, all t^3 - t.
    equal = (ranks[:, :, None] == ranks[:, None]).sum(2)
    most = judges ** 2 * (systems ** 3 - systems) - judges * float((equal ** 2 - 1).sum())
    return float(12 * (deviations ** 2).sum() / most) if most else None


def _taus_b(ranks: np.ndarray) -> list[float]:
    """Return Kendall's tau-b of each pair of judges, without those who tie everything."""
    signs = np.sign(ranks[:, :, None] - ranks[:, None]).reshape(len(ranks), -1)
    signs = signs[signs.any(1)]
    lengths = np.sqrt((signs ** 2).sum(1))
    taus = signs @ signs.T / np.outer(lengths, lengths)
    return taus[np.triu_indices(len(signs), 1)].tolist()


def _alpha(items: Sequence[np.ndarray]) -> float | None:
    """Return Krippendorff's alpha; a unit is the sentence of a system for an item."""
    if not items:
        return None
    # Of m values of a unit the pairs' mean squared difference is twice the variance (ddof=1).
    observed = sum(float(ranks.var(0, ddof=1).sum()) * len(ranks) for ranks in items)
    values = np.concatenate([ranks.ravel() for ranks in items])
    expected = float(values.var(ddof=1))
    return 1 - observed / len(values) / expected if expected else None
