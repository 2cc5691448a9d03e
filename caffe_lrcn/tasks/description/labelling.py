"""From features to roles with a CRF: fit it, let it label, say how often it is right."""
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import UsageError
from .crf import Crf, train_crf
from .crf_graph import Edge
from .role_records import Roles

_CLIP = re.compile(r"_c\d+$", re.ASCII)


@dataclass(frozen=True)
class Recipe:
    """How a CRF is trained.

    Args:
        edges: pairs of slots that get a table.
        l2: the penalty on its scores.
    """

    edges: Sequence[Edge]
    l2: float = 1.0

    def fit(self, roles: Roles, features: np.ndarray) -> Crf:
        """Return the CRF of these clips and their labels."""
        return train_crf(roles.slots, features, roles.labels, self.edges, self.l2)


def label(roles: Roles, features: np.ndarray, crf: Crf, joint: bool = True) -> Roles:
    """Return roles with the CRF's marginals, and labels by it.

    Args:
        roles: the clips.
        features: (N, D) of these clips.
        crf: for the same slots.
        joint: labels are the joint maximum (MAP), else the maximum of each slot's marginals.
    """
    marginals = crf.marginals(features)
    found = replace(roles, probabilities=marginals, joint=joint)
    return replace(found, labels=crf.best(features) if joint else maxima(found))


def label_in_turn(roles: Roles, features: np.ndarray, recipe: Recipe, folds: int,
                  joint: bool = True) -> Roles:
    """Return training clips labelled by CRFs that have not seen them, nor others of their group.

    A CRF is surer of the clips that it was trained on than of others, so a describer would learn
    from roles of a kind that it never meets again. Clips are divided by group: the part of the id
    before ``_cNN`` at its end, or the whole id.

    Args:
        roles: clips with true labels.
        features: (N, D) of these clips.
        recipe: how CRFs are trained.
        folds: into how many parts clips are divided.
        joint: as for ``label``.

    Raises:
        UsageError: there are fewer groups than folds, or fewer than two folds.
    """
    groups = [_CLIP.sub("", name) for name in roles.ids]
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    if not 2 <= folds <= len(numbers):
        raise UsageError("the clips cannot be divided so", got=f"{folds} folds",
                         wanted=f"2 to {len(numbers)}, the number of groups of clips")
    fold = np.array([numbers[group] % folds for group in groups])
    labels = np.empty_like(roles.labels)
    marginals = np.empty((len(roles.ids), roles.states))
    for number in range(folds):
        rest, part = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        crf = recipe.fit(roles.select(rest), features[rest])
        found = label(roles.select(part), features[part], crf, joint)
        labels[part], marginals[part] = found.labels, found.probabilities
    return replace(roles, labels=labels, probabilities=marginals, joint=joint)


def maxima(roles: Roles) -> np.ndarray:
    """Return (N, K) the first maximum of each slot's vector."""
    assert roles.probabilities is not None
    return np.stack([roles.probabilities[:, roles.block(k)].argmax(axis=1)
                     for k in range(len(roles.slots))], axis=1)


@dataclass(frozen=True)
class Agreement:
    """How many labels are right.

    Args:
        slots: name -> share.
        whole: share of the clips of which all labels are right.
        probability: mean probability of the true labels; None without vectors.
    """

    slots: dict[str, float]
    whole: float
    probability: float | None

    def __str__(self) -> str:
        text = ", ".join(f"{name} {share:.1%}" for name, share in self.slots.items())
        text = f"labels right: {text}; all of a clip {self.whole:.1%}"
        if self.probability is not None:
            text += f"; mean probability of the right label {self.probability:.3f}"
        return text


def compare(found: Roles, true: Roles) -> Agreement:
    """Return how many labels are right.

    Args:
        found, true: the same clips in the same order.
    """
    right = found.labels == true.labels
    probability = None
    if found.probabilities is not None:
        probability = float(np.take_along_axis(found.probabilities, true.tokens(), 1).mean())
    return Agreement({slot.name: float(share) for slot, share in
                      zip(true.slots, right.mean(axis=0), strict=True)},
                     float(right.all(axis=1).mean()), probability)
