"""Convolution on the CPU against a direct sum, and its gradients against its forward run."""
from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cpu import conv
from caffe_lrcn.backends.specs import ConvSpec

CASES = {
    "2-D": (ConvSpec(4, (3, 2), (2, 1), (1, 0), (1, 1)), (2, 3, 7, 5)),
    "groups": (ConvSpec(6, (3, 3), (1, 1), (1, 1), (1, 1), group=2), (2, 4, 5, 5)),
    "dilation": (ConvSpec(2, (3, 3), (1, 2), (2, 1), (2, 3)), (1, 2, 8, 9)),
    "1x1": (ConvSpec(5, (1, 1), (1, 1), (0, 0), (1, 1)), (3, 2, 4, 4)),
    "1-D": (ConvSpec(3, (3,), (2,), (1,), (2,)), (2, 2, 9)),
    "3-D": (ConvSpec(2, (2, 1, 3), (1, 1, 2), (1, 0, 1), (1, 1, 1), group=2), (2, 2, 3, 4, 5)),
    "no axis": (ConvSpec(3, (), (), (), ()), (4, 5)),
    "no image": (ConvSpec(3, (2, 2), (1, 1), (0, 0), (1, 1)), (0, 2, 4, 4)),
}
everywhere = pytest.mark.parametrize("name", CASES)


@pytest.fixture
def double():
    return get_backend("cpu", np.float64)


def arrays(spec, x_shape, dtype=np.float64, seed=3):
    rng = np.random.default_rng(seed)
    y_shape = (x_shape[0], spec.num_output, *spec.output_size(x_shape[2:]))
    w_shape = (spec.num_output, x_shape[1] // spec.group, *spec.kernel)
    return tuple(rng.standard_normal(shape).astype(dtype)
                 for shape in (x_shape, w_shape, spec.num_output, y_shape))


def direct_sum(spec, x, w, b, y_shape):
    """The definition, one output element at a time."""
    pad = [(0, 0), (0, 0), *((p, p) for p in spec.pad)]
    x = np.pad(x, pad)
    y = np.empty(y_shape)
    per_group, fan = spec.num_output // spec.group, w.shape[1]
    for n, m, *place in itertools.product(*map(range, y_shape)):
        first = m // per_group * fan
        window = x[(n, slice(first, first + fan), *(
            slice(o * s, o * s + d * (k - 1) + 1, d) for o, s, d, k in
            zip(place, spec.stride, spec.dilation, spec.kernel, strict=True)))]
        y[(n, m, *place)] = (window * w[m]).sum() + b[m]
    return y


@everywhere
def test_forward_is_the_direct_sum(name, double):
    spec, shape = CASES[name]
    x, w, b, y = arrays(spec, shape)
    conv.plan(spec, shape, double).forward(x, w, b, y)
    np.testing.assert_allclose(y, direct_sum(spec, x, w, b, y.shape), atol=1e-12)


def adjointness_gaps(spec, shape, backend, gradient_spec=None):
    """How far <conv(x, w), dy> is from <x, dx> and from <w, dw>."""
    x, w, _, dy = arrays(spec, shape)
    y, dx, dw = np.empty_like(dy), np.full_like(x, np.nan), np.zeros_like(w)
    conv.plan(spec, shape, backend).forward(x, w, None, y)
    plan = conv.plan(gradient_spec or spec, shape, backend)
    plan.backward_data(dy, w, dx)
    plan.backward_weights(x, dy, dw)
    inner = np.vdot(y, dy)
    return abs(inner - np.vdot(x, dx)), abs(inner - np.vdot(w, dw))


@everywhere
def test_gradients_are_adjoint_to_forward(name, double):
    assert max(adjointness_gaps(*CASES[name], double)) < 1e-10


def test_adjointness_check_catches_a_shifted_gradient(double):
    spec, shape = ConvSpec(2, (3, 3), (1, 1), (1, 1), (1, 1)), (2, 2, 5, 5)
    # The same output size, but every window reads one pixel further out.
    broken = dataclasses.replace(spec, pad=(2, 2), dilation=(2, 2))
    assert broken.output_size((5, 5)) == spec.output_size((5, 5))
    gap_x, gap_w = adjointness_gaps(spec, shape, double, broken)
    assert gap_x > 1e-2 and gap_w > 1e-2


def test_gradients_of_parameters_accumulate(double):
    spec, shape = CASES["2-D"]
    x, w, b, dy = arrays(spec, shape)
    plan = conv.plan(spec, shape, double)
    once, twice = np.zeros_like(w), np.zeros_like(w)
    plan.backward_weights(x, dy, once)
    plan.backward_weights(x, dy, twice)
    plan.backward_weights(x, dy, twice)
    np.testing.assert_allclose(twice, 2 * once)
    db = np.ones_like(b)
    plan.backward_bias(dy, db)
    np.testing.assert_allclose(db, 1 + dy.sum(axis=(0, 2, 3)))


def test_no_image_leaves_gradients_alone(double):
    spec, shape = CASES["no image"]
    x, w, b, dy = arrays(spec, shape)
    plan, dw, db = conv.plan(spec, shape, double), np.ones_like(w), np.ones_like(b)
    plan.backward_weights(x, dy, dw)
    plan.backward_bias(dy, db)
    assert (dw == 1).all() and (db == 1).all()


@everywhere
def test_float32_agrees_with_float64(name, backend, double):
    spec, shape = CASES[name]
    wide = run(spec, shape, double, np.float64)
    narrow = run(spec, shape, backend, np.float32)
    for got, want in zip(narrow, wide, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def run(spec, shape, backend, dtype):
    x, w, b, dy = arrays(spec, shape, dtype)
    y, dx, dw, db = np.empty_like(dy), np.empty_like(x), np.ones_like(w), np.ones_like(b)
    plan = conv.plan(spec, shape, backend)
    plan.forward(x, w, b, y)
    plan.backward_data(dy, w, dx)
    plan.backward_weights(x, dy, dw)
    plan.backward_bias(dy, db)
    return y, dx, dw, db
