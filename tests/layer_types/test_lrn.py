"""LRN: recorded cases, gradients where every term matters, and what is refused."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import break_op, check_gradients, make_layer, run_golden

# A strong alpha: with the usual 1e-4 the cross term could be missing unnoticed.
ACROSS = "local_size: 3 alpha: 2 beta: 0.6 k: 1.5"
WITHIN = "norm_region: WITHIN_CHANNEL local_size: 3 alpha: 2 beta: 0.75"


def lrn(extra):
    return (f'layer {{ name: "norm" type: "LRN" bottom: "x" top: "y" '
            f'lrn_param {{ {extra} }} }}')


@pytest.fixture
def x():
    return np.random.default_rng(2).normal(size=(2, 5, 4, 3))


@pytest.mark.parametrize("name", ["lrn", "lrn_within"])
def test_golden(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("extra", [ACROSS, WITHIN, "local_size: 7 alpha: 3 engine: CAFFE"])
def test_gradients(extra, x, any_backend64):
    check_gradients(lrn(extra), [x], backend=any_backend64)


@pytest.mark.parametrize("extra", [ACROSS, WITHIN])
def test_gradient_check_catches_a_missing_cross_term(extra, x):
    def without_neighbours(true):
        def plan(spec, shape, backend):
            made = true(spec, shape, backend)
            made.backward = lambda x, y, dy, dx: np.multiply(dy, y / x, out=dx)
            return made
        return plan

    def mutate(layer):
        break_op("lrn", "plan", without_neighbours)(layer)
        layer._planned = ()

    with pytest.raises(AssertionError, match="gradient"):
        check_gradients(lrn(extra), [x], mutate=mutate)


def test_across_is_the_formula(x):
    case = make_layer(lrn(ACROSS), [x])
    case.forward()
    square = np.pad(x * x, ((0, 0), (1, 1), (0, 0), (0, 0)))
    scale = 1.5 + 2 / 3 * (square[:, :-2] + square[:, 1:-1] + square[:, 2:])
    np.testing.assert_allclose(case.top[0].host_data, x * scale ** -np.float32(0.6), rtol=1e-12)


def test_quirk_k_is_ignored_within_a_channel(x):
    outputs = []
    for extra in (WITHIN, WITHIN + " k: 9"):
        case = make_layer(lrn(extra), [x])
        case.forward()
        outputs.append(case.top[0].host_data.copy())
    np.testing.assert_array_equal(*outputs)
    assert dataclasses.asdict(case.layer.spec)["k"] == 1


def test_follows_the_shape(x):
    case = make_layer(lrn(ACROSS), [x])
    case.bottom[0].reshape(1, 5, 2, 2)
    case.bottom[0].host_data[...] = x[:1, :, :2, :2]
    case.forward()
    fresh = make_layer(lrn(ACROSS), [x[:1, :, :2, :2]])
    fresh.forward()
    np.testing.assert_array_equal(case.top[0].host_data, fresh.top[0].host_data)


def test_refuses_even_windows_and_other_numbers_of_axes(x):
    with pytest.raises(PrototxtError, match="local_size must be odd.*got 4"):
        make_layer(lrn("local_size: 4"), [x])
    with pytest.raises(ShapeError, match="four axes"):
        make_layer(lrn(ACROSS), [x[0]])


@pytest.mark.parametrize("extra", [ACROSS, WITHIN])
def test_in_place_it_computes_the_same(extra, x, any_backend64):
    results = []
    for top in ("y", "x"):
        case = make_layer(lrn(extra).replace('top: "y"', f'top: "{top}"'), [x],
                          backend=any_backend64)
        case.forward()
        y = case.top[0].host_data.copy()
        case.backward([np.cos(x)])
        results.append((y, case.bottom[0].host_diff.copy()))
    np.testing.assert_array_equal(*(y for y, _ in results))
    np.testing.assert_allclose(*(dx for _, dx in results), rtol=1e-12)


def test_in_place_gradient(x, any_backend64):
    for extra in (ACROSS, WITHIN):
        check_gradients(lrn(extra).replace('top: "y"', 'top: "x"'), [x], backend=any_backend64)


@pytest.mark.parametrize(("extra", "spoilt"), [(ACROSS, True), (WITHIN, False)])
def test_a_top_that_is_changed_later_spoils_the_gradient_across_channels_only(
        extra, spoilt, x, any_backend64):
    """As in Caffe, where a ReLU in place follows."""
    gradients = []
    for change in (False, True):
        case = make_layer(lrn(extra), [x], backend=any_backend64)
        case.forward()
        if change:
            np.maximum(case.top[0].host_data, 0, out=case.top[0].host_data)
        case.backward([np.cos(x)])
        gradients.append(case.bottom[0].host_diff.copy())
    assert np.allclose(*gradients, rtol=1e-9) != spoilt
