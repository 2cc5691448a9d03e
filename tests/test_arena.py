"""All parameters moved at once, against each moved by itself as the formulas say."""
from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from caffe_lrcn.arena import Arena
from caffe_lrcn.backends.cpu.update import _PIECE
from caffe_lrcn.blob import Blob
from caffe_lrcn.proto.text import parse_solver
from caffe_lrcn.solver.step import EagerStep
from caffe_lrcn.solver.updates import RULES
from tests.harness.memory import peak_memory
from tests.solver.oracle import FORMULAS, PlainUpdate

SHAPES = [(3, 5), (7,), (0, 3), (), (2, _PIECE // 2 + 9)]
RATES, DECAYS = [1, 2, 1, 0, 0.5], [1, 0, 1, 1, 3]
RNG = np.random.default_rng(5)


class Case:
    """Blobs in an arena, a step that moves them, and the plain update beside it."""

    def __init__(self, backend, kind="SGD", fields="", shapes=SHAPES):
        self.param = parse_solver(f'type: "{kind}" momentum: {FORMULAS[kind][1]} momentum2: 0.99 '
                                  f"delta: 0.01 rms_decay: 0.8 {fields}").param
        self.blobs = [Blob(backend, shape) for shape in shapes]
        for blob in self.blobs:
            blob.host_data[...] = RNG.normal(size=blob.shape)
        rates, decays = RATES[:len(shapes)], DECAYS[:len(shapes)]
        self.plain = PlainUpdate(self.param, [np.array(blob.host_data, np.float64)
                                              for blob in self.blobs], rates, decays)
        self.arena = Arena(backend, self.blobs, rates, decays)
        self.step = EagerStep(SimpleNamespace(arena=self.arena, backend=backend,
                                              scalars=backend.scalars()), self.param, RULES[kind])
        self.iteration = 0

    def move(self):
        """Give every blob a gradient, move all, and compare."""
        self.arena.clear()
        diffs = [RNG.normal(size=blob.shape) for blob in self.blobs]
        for blob, diff in zip(self.blobs, diffs, strict=True):
            blob.host_diff[...] += diff
        self.step.measure()
        self.step.update(0.3, self.iteration)
        weights, steps = self.plain.step(diffs, 0.3, self.iteration)
        self.iteration += 1
        for blob, weight, step in zip(self.blobs, weights, steps, strict=True):
            np.testing.assert_allclose(blob.host_data, weight, rtol=1e-11, atol=1e-12)
            np.testing.assert_allclose(blob.host_diff, step, rtol=1e-11, atol=1e-12)


FIELDS = ["", "weight_decay: 0.1 clip_gradients: 5", "clip_gradients: 1e9 iter_size: 3",
          'weight_decay: 0.2 regularization_type: "L1" iter_size: 2', "clip_gradients: 0"]


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("kind", RULES)
def test_every_rule_moves_parameters_as_its_formula_says(any_backend64, kind, fields):
    case = Case(any_backend64, kind, fields)
    for _ in range(4):
        case.move()
    count = len(case.blobs)
    assert len(case.arena.history) == RULES[kind].histories * count
    for index, state in enumerate(case.plain.states):
        for history, key in zip(case.arena.history[index::count], "vw", strict=False):
            np.testing.assert_allclose(history.host_data, state[key], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("broken", ["rate", "decay", "clip", "count"])
def test_the_comparison_notices_what_is_left_out(any_backend64, broken):
    case = Case(any_backend64, "Adam", "weight_decay: 0.1 clip_gradients: 5")
    if broken == "clip":
        case.plain.param = parse_solver("clip_gradients: 6").param
        case.plain.param.MergeFrom(parse_solver(
            'type: "Adam" momentum: 0.9 momentum2: 0.99 delta: 0.01 weight_decay: 0.1').param)
    elif broken == "count":
        case.iteration = 1
        case.step.update = lambda rate, iteration, move=case.step.update: move(rate, 0)
    else:
        getattr(case.plain, f"{broken}s")[-1] += 0.1
    with pytest.raises(AssertionError):
        case.move()


def test_parameters_are_slices_of_aligned_arrays(any_backend):
    case = Case(any_backend)
    part, = case.arena.parts()
    for blob, segment in zip(case.blobs, part.segments, strict=True):
        assert segment.start % 64 == 0 and segment.stop - segment.start == blob.count
        assert np.shares_memory(blob.data, part.weight) == (blob.count > 0)
        assert np.shares_memory(blob.diff, part.diff) == (blob.count > 0)
    assert part.weight.ctypes.data % 64 == 0
    for history in case.arena.history:
        assert np.shares_memory(history.data, part.history[0]) == (history.count > 0)


@pytest.mark.parametrize("kind", RULES)
def test_nothing_between_the_parameters_is_touched(any_backend, kind):
    """With delta 0 a rule that looked at the zeros there would make NaN of them."""
    case = Case(any_backend, kind, "weight_decay: 0.1 clip_gradients: 1 ")
    case.param.delta = 0
    part, = case.arena.parts()
    inside = np.zeros(part.weight.size, bool)
    for segment in part.segments:
        inside[segment.start:segment.stop] = True
    for _ in range(2):
        for blob in case.blobs:
            blob.host_diff[...] = 1
        part.diff[~inside] = 1e30
        case.step.measure()
        case.step.update(0.1, 0)
    assert not part.weight[~inside].any() and not any(h[~inside].any() for h in part.history)
    assert np.isfinite(case.blobs[0].host_data).all()


@pytest.mark.parametrize("kind", RULES)
def test_a_reshaped_parameter_is_moved_by_itself(any_backend64, kind):
    case = Case(any_backend64, kind, "weight_decay: 0.1 clip_gradients: 5")
    case.move()
    grown = case.blobs[1]
    grown.reshape(4, 3)  # was 7: the values stay, the new ones are 0, as for every blob
    for plain in (case.plain.weights, *zip(*(s.values() for s in case.plain.states), strict=True)):
        assert plain[1].shape == (7,)
    case.plain.weights[1] = np.append(case.plain.weights[1], np.zeros(5)).reshape(4, 3)
    case.plain.states[1] = {key: np.append(value, np.zeros(5)).reshape(4, 3)
                            for key, value in case.plain.states[1].items()}
    shrunk = case.blobs[0]
    shrunk.reshape(2, 2)
    case.plain.weights[0] = case.plain.weights[0].reshape(-1)[:4].reshape(2, 2)
    case.plain.states[0] = {key: value.reshape(-1)[:4].reshape(2, 2)
                            for key, value in case.plain.states[0].items()}
    for _ in range(2):
        case.move()
    assert len(case.arena.parts()) == 3
    assert case.arena.history[1].shape == (4, 3)


def test_a_parameter_that_shares_anothers_values_is_moved_there(any_backend64):
    case = Case(any_backend64)
    case.move()
    other = Blob(any_backend64, (3, 5))
    other.host_data[...] = 1
    case.blobs[0].share_data(other)
    case.plain.weights[0] = np.ones((3, 5))
    case.move()
    np.testing.assert_array_equal(other.host_data, case.blobs[0].host_data)


def test_held_views_stay_live(backend):
    case = Case(backend, shapes=[(3,), (2,)])
    data, diff = case.blobs[1].host_data, case.blobs[1].host_diff
    data[...] = 5
    diff[...] = 1
    case.step.measure()
    case.step.update(0.3, 0)
    np.testing.assert_allclose(data, 5 - 0.6)
    case.arena.clear()
    assert not diff.any()


def test_without_binding_nothing_moves_and_gradients_can_be_cleared(backend):
    blobs = [Blob(backend, (3,)), Blob(backend, (2, 2))]
    held = [blob.host_diff for blob in blobs]
    arena = Arena(backend, blobs, [1, 1], [1, 1])
    for diff in held:
        diff[...] = 1
    arena.clear()
    assert not any(diff.any() for diff in held) and arena.history == []


def test_the_number_of_calls_does_not_depend_on_the_number_of_parameters(backend, monkeypatch):
    calls: list[str] = []
    for name in ("add_squares", "clip_factor", "adam"):
        op = getattr(backend.update, name)
        monkeypatch.setattr(backend.update, name,
                            lambda *args, op=op, name=name: (calls.append(name), op(*args)))
    counts = []
    for number in (2, 50):
        case = Case(backend, "Adam", "clip_gradients: 1", shapes=[(3,)] * 2)
        case.blobs = [Blob(backend, (3,)) for _ in range(number)]
        case.arena.__init__(backend, case.blobs, [1] * number, [1] * number)
        case.arena.bind(2)
        calls.clear()
        case.arena.clear()
        case.step.measure()
        case.step.update(0.1, 0)
        counts.append(list(calls))
    assert counts[0] == counts[1] == ["add_squares", "clip_factor", "adam"]


@pytest.mark.parametrize("kind", RULES)
def test_a_steady_update_allocates_nothing(backend, kind):
    case = Case(backend, kind, "weight_decay: 0.1 clip_gradients: 5",
                shapes=[(1000, 300), (300,), (200, 1000)])

    def step():
        case.arena.clear()
        case.step.measure()
        case.step.update(0.1, 3)
    for _ in range(3):
        step()
    assert peak_memory(step) < 8_000


def test_what_is_read_after_the_norm(backend):
    case = Case(backend, fields="clip_gradients: 2.5", shapes=[(3,), (3,)])
    for blob, values in zip(case.blobs, ([3.0, 0, 0], [0, 4.0, 0]), strict=True):
        blob.host_diff[...] = values
    reading = case.step.measure()
    assert (reading.squares, reading.clip) == (25, 0.5)
    for limit in (5, -1):
        case.param.clip_gradients = limit
        assert case.step.measure().clip == 1
