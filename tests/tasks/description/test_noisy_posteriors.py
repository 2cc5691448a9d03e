"""The simulated recogniser: as wrong as it was asked to be, and calibrated."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import UsageError
from caffe_lrcn.tasks.description.noisy_posteriors import add_noise, calibrate
from caffe_lrcn.tasks.description.role_records import Roles, check_vectors
from caffe_lrcn.tasks.toy_roles.scenes import ALIKE, SLOTS, labels, random_scene

CLIPS = 3000


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(1)
    rows = np.array([labels(random_scene(rng)) for _ in range(CLIPS)])
    return Roles("r.json", SLOTS, [f"c{k}" for k in range(CLIPS)], [None] * CLIPS, rows, None,
                 [["A sentence."]] * CLIPS)


@pytest.fixture(scope="module")
def noise(truth):
    return calibrate(truth, 0.25, ALIKE)


@pytest.fixture(scope="module")
def seen(truth, noise):
    return add_noise(truth, noise)


def test_the_stated_share_is_wrong(truth, noise, seen):
    assert (seen.labels != truth.labels).mean() == pytest.approx(0.25, abs=0.015)
    shares = noise.shares
    assert np.mean(shares) == pytest.approx(0.25, abs=2e-3)
    np.testing.assert_allclose((seen.labels != truth.labels).mean(axis=0), shares, atol=0.03)


def test_labels_are_the_maxima_of_vectors_that_sum_to_one(truth, seen):
    check_vectors(seen)
    assert seen.sentences is truth.sentences and seen.ids is truth.ids
    for k in range(len(SLOTS)):
        block = seen.probabilities[:, seen.block(k)]
        np.testing.assert_allclose(block.sum(axis=1), 1, atol=1e-12)
        np.testing.assert_array_equal(block.argmax(axis=1), seen.labels[:, k])


def test_vectors_are_calibrated(truth, seen):
    said = seen.probabilities.ravel()
    true = truth.one_hot().ravel()
    for low in np.arange(0, 1, 0.1):
        some = (said >= low) & (said < low + 0.1)
        assert true[some].mean() == pytest.approx(said[some].mean(), abs=0.04)


def test_what_looks_alike_is_confused(truth, seen):
    """Where the maximum is wrong, most are of the same group, and the true label comes second."""
    k = 2
    groups = {label: number for number, group in enumerate(ALIKE["object"]) for label in group}
    of = np.array([groups[label] for label in SLOTS[k].labels])
    wrong = seen.labels[:, k] != truth.labels[:, k]
    same = of[seen.labels[wrong, k]] == of[truth.labels[wrong, k]]
    assert same.mean() > 0.5
    order = np.argsort(-seen.probabilities[wrong, seen.block(k)], axis=1)
    assert (order[:, 1] == truth.labels[wrong, k]).mean() > 0.5


def test_the_same_seed_and_id_give_the_same_noise(truth, noise, seen):
    part = truth.select(np.array([7, 3]))
    np.testing.assert_array_equal(add_noise(part, noise).probabilities, seen.probabilities[[7, 3]])
    assert (add_noise(part, noise, seed=2).probabilities != seen.probabilities[[7, 3]]).any()


@pytest.mark.parametrize("share", [0, -0.1, 0.75, float("nan")])
def test_shares_that_cannot_be(truth, share):
    with pytest.raises(UsageError, match="cannot be wrong so often"):
        calibrate(truth, share)
