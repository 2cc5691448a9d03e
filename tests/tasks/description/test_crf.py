"""The CRF against enumeration of all labellings, in float64."""
from __future__ import annotations

import itertools

import numpy as np
import pytest

from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.tasks.description.crf import Crf, Objective, train_crf
from caffe_lrcn.tasks.description.crf_graph import choose_edges, make_plan
from caffe_lrcn.tasks.description.crf_inference import maximum, posterior, score_of
from caffe_lrcn.tasks.description.role_records import Roles, Slot

SIZES = (3, 2, 4, 3)
GRAPHS = {
    "none": [],
    "chain": [(0, 1), (1, 2), (2, 3)],
    "star, written both ways": [(2, 0), (1, 2), (3, 2)],
    "loop": [(0, 1), (1, 2), (2, 3), (0, 3)],
    "two parts": [(0, 3), (1, 2)],
    "full": list(itertools.combinations(range(4), 2)),
}
LABELLINGS = np.array(list(itertools.product(*map(range, SIZES))))
CLIPS = 5


def make(edges, rng, scale=2.0):
    unaries = [scale * rng.standard_normal((CLIPS, size)) for size in SIZES]
    return unaries, {(i, j): scale * rng.standard_normal((SIZES[i], SIZES[j])) for i, j in edges}


def enumerate_scores(unaries, tables):
    """Return (clips, labellings) scores."""
    return np.array([[sum(unary[clip, label] for unary, label in zip(unaries, labels, strict=True))
                      + sum(table[labels[i], labels[j]] for (i, j), table in tables.items())
                      for labels in LABELLINGS] for clip in range(CLIPS)])


@pytest.mark.parametrize("safe", [600.0, 0.0], ids=["products", "sums"])
@pytest.mark.parametrize("edges", GRAPHS.values(), ids=[*GRAPHS])
def test_inference_is_exact(edges, safe, monkeypatch):
    monkeypatch.setattr("caffe_lrcn.tasks.description.crf_inference._SAFE", safe)
    unaries, tables = make(edges, np.random.default_rng(len(edges)))
    plan = make_plan(SIZES, edges)
    scores = enumerate_scores(unaries, tables)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    log_z = scores.max(axis=1) + np.log(shares.sum(axis=1))
    shares /= shares.sum(axis=1, keepdims=True)
    found = posterior(plan, unaries, tables)
    np.testing.assert_allclose(found.log_z, log_z, rtol=1e-12)
    for slot, size in enumerate(SIZES):
        want = np.stack([shares[:, LABELLINGS[:, slot] == label].sum(axis=1)
                         for label in range(size)], axis=1)
        np.testing.assert_allclose(found.slots[slot], want, atol=1e-13)
    for i, j in edges:
        want = np.array([[shares[:, (LABELLINGS[:, i] == a) & (LABELLINGS[:, j] == b)].sum()
                          for b in range(SIZES[j])] for a in range(SIZES[i])])
        np.testing.assert_allclose(found.pairs[i, j], want, atol=1e-13)
    labels, best = maximum(plan, unaries, tables)
    np.testing.assert_array_equal(labels, LABELLINGS[scores.argmax(axis=1)])
    np.testing.assert_allclose(best, scores.max(axis=1), rtol=1e-12)
    np.testing.assert_allclose(score_of(labels, unaries, tables), best, rtol=1e-12)


def test_large_scores_neither_overflow_nor_vanish():
    unaries, tables = make(GRAPHS["full"], np.random.default_rng(1), scale=500.0)
    found = posterior(make_plan(SIZES, GRAPHS["full"]), unaries, tables)
    assert np.isfinite(found.log_z).all()
    for slot in found.slots:
        np.testing.assert_allclose(slot.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(found.log_z, maximum(
        make_plan(SIZES, GRAPHS["full"]), unaries, tables)[1], rtol=1e-3)


def test_a_tree_of_many_slots_needs_small_tables_only():
    chain = [(k, k + 1) for k in range(19)]
    assert make_plan([10] * 20, chain).largest == 100
    assert make_plan([10] * 20, [(0, k) for k in range(1, 20)]).largest == 100
    with pytest.raises(UsageError, match="too large to be exact.*1,048,576 at most"):
        make_plan([10] * 8, list(itertools.combinations(range(8), 2)))
    with pytest.raises(UsageError, match="too many slots"):
        make_plan([2] * 31, [])


def slots():
    return [Slot(f"slot{k}", tuple(f"{k}.{label}" for label in range(size)))
            for k, size in enumerate(SIZES)]


@pytest.mark.parametrize("edges", [GRAPHS["star, written both ways"], GRAPHS["loop"]],
                         ids=["tree", "loop"])
def test_gradient_is_that_of_the_likelihood(edges):
    rng = np.random.default_rng(3)
    features, labels = rng.standard_normal((CLIPS, 3)), rng.integers(0, SIZES, (CLIPS, 4))
    objective = Objective(slots(), features, labels, edges, 0.7)
    values = rng.standard_normal(objective.size)
    value, gradient = objective(values)
    weights, bias, tables = objective.unpack(values)
    unaries = np.split(features @ weights + bias, np.cumsum(SIZES)[:-1], axis=1)
    scores = enumerate_scores(unaries, tables)
    log_z = np.log(np.exp(scores).sum(axis=1))
    squares = sum((part ** 2).sum() for part in (weights, *tables.values()))
    want = ((log_z - score_of(labels, unaries, tables)).sum() + 0.35 * squares) / CLIPS
    assert value == pytest.approx(want, rel=1e-12)
    step = 1e-5
    numeric = np.array([(objective(values + step * unit)[0] - objective(values - step * unit)[0])
                        / (2 * step) for unit in np.eye(objective.size)])
    np.testing.assert_allclose(gradient, numeric, atol=1e-9)


def sampled(edges, rng, clips=600):
    """Return features and labels drawn from a CRF with these edges, and the CRF."""
    truth = Crf(tuple(slots()), 0.8 * rng.standard_normal((3, sum(SIZES))), np.zeros(sum(SIZES)),
                {(i, j): 2 * rng.standard_normal((SIZES[i], SIZES[j])) for i, j in edges})
    features = rng.standard_normal((clips, 3))
    blocks = np.split(features @ truth.weights, np.cumsum(SIZES)[:-1], axis=1)
    labels = np.empty((clips, 4), np.int64)
    for clip in range(clips):
        unaries = [block[[clip] * len(LABELLINGS)] for block in blocks]
        scores = score_of(LABELLINGS, unaries, truth.tables)
        labels[clip] = LABELLINGS[(scores + rng.gumbel(size=len(scores))).argmax()]
    return features, labels, truth


def test_training_finds_what_made_the_labels():
    edges = GRAPHS["loop"]
    features, labels, truth = sampled(edges, np.random.default_rng(5), clips=1000)
    shifted = 100 + 0.01 * features  # training brings features to one scale
    crf = train_crf(slots(), shifted[:500], labels[:500], edges, 0.1)
    alone = train_crf(slots(), shifted[:500], labels[:500], [], 0.1)
    ideal = truth.log_likelihood(features[500:], labels[500:])
    assert crf.log_likelihood(shifted[500:], labels[500:]) > ideal - 0.1
    assert alone.log_likelihood(shifted[500:], labels[500:]) < ideal - 0.2
    right, alone_right = ((model.best(shifted[500:]) == labels[500:]).all(axis=1).mean()
                          for model in (crf, alone))
    assert right > alone_right + 0.02
    marginals = crf.marginals(shifted[500:])
    np.testing.assert_allclose(marginals[:, :3].sum(axis=1), 1, atol=1e-12)


def test_parts_change_nothing(monkeypatch):
    features, labels, crf = sampled(GRAPHS["full"], np.random.default_rng(6), clips=7)
    whole = crf.marginals(features), crf.best(features), crf.log_likelihood(features, labels)
    objective = Objective(crf.slots, features, labels, [*crf.tables], 1.0)
    values = np.random.default_rng(0).standard_normal(objective.size)
    at_once = objective(values)
    monkeypatch.setattr("caffe_lrcn.tasks.description.crf._AT_ONCE", 150)  # two clips
    np.testing.assert_allclose(crf.marginals(features), whole[0], atol=1e-14)
    np.testing.assert_array_equal(crf.best(features), whole[1])
    assert crf.log_likelihood(features, labels) == pytest.approx(whole[2], rel=1e-12)
    parts = objective(values)
    assert parts[0] == pytest.approx(at_once[0], rel=1e-12)
    np.testing.assert_allclose(parts[1], at_once[1], atol=1e-14)


@pytest.mark.parametrize(("features", "text"), [
    (np.zeros(4), "not a row for each clip"), (np.zeros((0, 3)), "not a row for each clip"),
    (np.array([[0, np.nan, 0]]), "not finite.*got nan"), (np.zeros((2, 3)), "different numbers")])
def test_features_that_are_refused(features, text):
    with pytest.raises(DataError, match=text):
        train_crf(slots(), features, np.zeros((1, 4), np.int64), [])
    if features.ndim == 2 and len(features) == 2:
        crf = train_crf(slots(), features, np.zeros((2, 4), np.int64), [])
        with pytest.raises(DataError, match="another width.*got 2, wanted 3"):
            crf.best(np.zeros((1, 2)))


def labelled(labels):
    names = ["activity", "tool", "object"]
    return Roles("r.json", tuple(Slot(name, ("a", "b")) for name in names),
                 [str(k) for k in range(len(labels))], [None] * len(labels), np.array(labels), None,
                 [[] for _ in labels])


def test_edges():
    # activity and object are equal, the tool agrees with them in three clips of four
    roles = labelled([[0, 0, 0], [1, 1, 1], [0, 0, 0], [1, 0, 1]])
    assert choose_edges("full", roles) == [(0, 1), (0, 2), (1, 2)]
    assert choose_edges("chain", roles) == [(0, 1), (1, 2)]
    assert choose_edges("none", roles) == []
    assert choose_edges("tree", roles)[0] == (0, 2) and len(choose_edges("tree", roles)) == 2
    assert choose_edges("tool-activity,activity-object,object-activity", roles) == [(0, 1), (0, 2)]


@pytest.mark.parametrize(("kind", "text"), [
    ("tool-objet", "Did you mean 'object'"), ("tool-tool", "not a pair"), ("trees", "not a pair"),
    ("tool-activity,", "not a pair"), ("", "not a pair")])
def test_edges_that_are_refused(kind, text):
    with pytest.raises(UsageError, match=text):
        choose_edges(kind, labelled([[0, 0, 0]]))
