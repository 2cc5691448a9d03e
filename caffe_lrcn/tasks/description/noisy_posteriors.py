"""Posteriors of a recogniser that is not there: calibrated, and wrong in a stated share.

The recogniser sees each slot's label as a point with Gaussian noise around it. Labels that look
alike are near each other, all others far, and the vector holds the exact posterior of the labels,
given what was seen and how often each label is there. So vectors are calibrated: among labels that
get the probability 0.7, 70 of 100 are true. The slots are seen apart from each other: what one
slot tells about another is left to a CRF or a language model.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ... import rng
from ...errors import UsageError
from .role_records import Roles

#: Labels of a slot in groups of those that look alike, by the slot's name.
Alike = Mapping[str, Sequence[Sequence[str]]]
#: Distances of labels that look alike, and of others.
_NEAR, _FAR = 1.0, 1.8
_DRAWS = 8_000  # for each slot, to find out how often the maximum is wrong


@dataclass(frozen=True)
class Noise:
    """How well the recogniser sees.

    Args:
        share: of labels that are wrong, the mean over the slots.
        deviation: of the noise.
        points: for each slot (n, d) where labels lie.
        priors: for each slot (n,) how often each label is there.
        shares: for each slot, how many labels are wrong.
    """

    share: float
    deviation: float
    points: list[np.ndarray]
    priors: list[np.ndarray]
    shares: list[float]


def calibrate(roles: Roles, share: float, alike: Alike | None = None, seed: int = 1) -> Noise:
    """Return the noise with which this share of labels is wrong.

    Args:
        roles: clips with true labels, which tell how often each label is there.
        share: wanted, above 0.
        alike: labels that look alike; a slot that it leaves out has none.
        seed: of the trials.

    Raises:
        UsageError: even a blind recogniser is wrong less often, or the share is not positive.
    """
    points = [_points(slot.labels, (alike or {}).get(slot.name, ())) for slot in roles.slots]
    # A label that the clips do not have could still come, if rarely.
    priors = [np.bincount(roles.labels[:, k], minlength=len(slot.labels)) + 0.5
              for k, slot in enumerate(roles.slots)]
    priors = [prior / prior.sum() for prior in priors]
    worst = float(np.mean([1 - prior.max() for prior in priors]))
    if not 0 < share < worst:
        raise UsageError("a recogniser cannot be wrong so often", got=f"{share:g} of the labels",
                         wanted=f"more than 0 and less than {worst:.3f}: whoever always takes the "
                                f"most frequent label is wrong so often")
    draws = [_trial(point, prior, rng.generator(seed, "noise", k))
             for k, (point, prior) in enumerate(zip(points, priors, strict=True))]

    def shares(deviation: float) -> list[float]:
        return [float((((clean + deviation * noise) / deviation ** 2 + np.log(prior))
                       .argmax(axis=1) != true).mean())
                for prior, (true, clean, noise) in zip(priors, draws, strict=True)]

    low, high = 1e-2, 1e2
    for _ in range(18):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if np.mean(shares(middle)) < share else (low, middle)
    return Noise(share, high, points, priors, shares(high))


def add_noise(roles: Roles, noise: Noise, seed: int = 1) -> Roles:
    """Return roles as the recogniser sees them: vectors, and their maxima as labels.

    Args:
        roles: with true labels.
        noise: from ``calibrate``, for the same slots.
        seed: of the noise, which depends on the clip's id too.
    """
    vectors = np.empty((len(roles.ids), roles.states))
    labels = np.empty_like(roles.labels)
    draws = [rng.generator(seed, "seen", name) for name in roles.ids]
    for k, (points, prior) in enumerate(zip(noise.points, noise.priors, strict=True)):
        seen = points[roles.labels[:, k]] + noise.deviation * np.stack(
            [draw.standard_normal(points.shape[1]) for draw in draws])
        block = _posteriors(points, prior, seen, noise.deviation)
        vectors[:, roles.block(k)] = block
        labels[:, k] = block.argmax(axis=1)
    return replace(roles, labels=labels, probabilities=vectors, joint=False)


def _points(labels: Sequence[str], groups: Sequence[Sequence[str]]) -> np.ndarray:
    """Return (n, d) points, ``_NEAR`` apart in a group and ``_FAR`` otherwise."""
    of = {label: number for number, group in enumerate(groups) for label in group}
    alone = iter(range(len(groups), len(groups) + len(labels)))
    group = np.array([of[label] if label in of else next(alone) for label in labels])
    own = np.eye(len(labels)) * np.sqrt(_NEAR ** 2 / 2)
    shared = np.eye(int(group.max()) + 1)[group] * np.sqrt((_FAR ** 2 - _NEAR ** 2) / 2)
    return np.concatenate([own, shared], axis=1)


def _trial(points: np.ndarray, prior: np.ndarray,
           random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return drawn labels, (M,), and the parts of their scores without and with noise, (M, n)."""
    true = random.choice(len(prior), _DRAWS, p=prior)
    noise = random.standard_normal((_DRAWS, points.shape[1]))
    return true, (points @ points.T - _half_squares(points))[true], noise @ points.T


def _posteriors(points: np.ndarray, prior: np.ndarray, seen: np.ndarray,
                deviation: float) -> np.ndarray:
    """Return (N, n) probabilities of labels, given the (N, d) points that were seen."""
    scores = (seen @ points.T - _half_squares(points)) / deviation ** 2 + np.log(prior)
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _half_squares(points: np.ndarray) -> np.ndarray:
    return np.asarray((points ** 2).sum(axis=1) / 2)
