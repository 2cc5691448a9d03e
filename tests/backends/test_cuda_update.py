"""The solver's kernels on the host against the CPU ops."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cuda import update as cuda_update
from caffe_lrcn.backends.parameters import Parameters, Segment, UpdateSpec
from caffe_lrcn.errors import ShapeError

from .twins import assert_same, assert_twins, values

pytestmark = [pytest.mark.usefixtures("cuda_grid"),
              pytest.mark.parametrize("dtype", [np.float32, np.float64])]
RULES = {"sgd": 1, "nesterov": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}
SIZE = 90
SEGMENTS = (Segment(0, 7), Segment(8, 8), Segment(16, 80, rate=2, decay=0.5),
            Segment(82, 83, rate=0))


def parameters(dtype, histories, size=SIZE):
    arrays = [values(size, dtype, seed) for seed in range(2)]
    arrays += [values(size, dtype, seed, 0.1, 2) for seed in range(2, 2 + histories)]
    arrays[0][:1] = 0  # sign(0) is 0
    return Parameters(arrays[0], arrays[1], tuple(arrays[2:]), SEGMENTS)


def run(device, rule, dtype, spec):
    """Return all arrays after two steps of a rule."""
    backend, own = get_backend(device, dtype), parameters(dtype, RULES[rule])
    scalars = backend.scalars()
    scalars.rate.fill(0.1)
    scalars.clip.fill(0.75)
    for iteration in (0, 4):
        scalars.count.fill(iteration)
        backend.scratch.rewind()
        getattr(backend.update, rule)(own, spec, scalars, backend.scratch)
    return [own.weight, own.diff, *own.history]


@pytest.mark.parametrize("decay", [{}, {"l2": 0.3}, {"l1": 0.2}])
@pytest.mark.parametrize("rule", RULES)
def test_rules(rule, decay, dtype, monkeypatch):
    monkeypatch.setattr(cuda_update, "_CHUNK", 10)
    spec = UpdateSpec(momentum=0.9, momentum2=0.99, rms_decay=0.8, delta=0.01, scale=0.5, **decay)
    got = run("cuda-host", rule, dtype, spec)
    assert_same(got, run("cpu", rule, dtype, spec), dtype)
    before = parameters(dtype, RULES[rule])
    for array, old in zip(got, [before.weight, before.diff, *before.history], strict=True):
        np.testing.assert_array_equal(array[83:], old[83:])
        assert (array[:7] != old[:7]).any()


@pytest.mark.parametrize("chunk", [3, 1 << 12])
def test_norm_and_clip_factor(dtype, chunk, monkeypatch):
    monkeypatch.setattr(cuda_update, "_CHUNK", chunk)
    found = []
    for device in ("cpu", "cuda-host"):
        backend, own = get_backend(device, dtype), parameters(dtype, 0)
        scalars = backend.scalars()
        scalars.squares.fill(3)
        backend.update.add_squares(own, scalars.squares, backend.scratch)
        for limit in (1e9, 2.0, 0.0):
            backend.update.clip_factor(scalars.squares, limit, scalars.clip)
            reading = scalars.read()
            found.append((reading.squares, reading.clip))
    np.testing.assert_allclose(found[:3], found[3:], rtol=1e-13)
    assert found[3][1] == 1 and 0 < found[4][1] < 1 and found[5][1] == 0


@pytest.mark.parametrize("shape", [(1,), (7, 5), (0, 3)])
def test_sums(shape, dtype):
    for op in ("sum_of_elements", "sum_of_squares"):
        assert_twins(f"update.{op}", values(shape, dtype), np.full((), 9.0), dtype=dtype)


def test_sums_are_taken_in_double(dtype):
    x = np.full(70000, 1e-2, dtype)
    x[0] = 1e4  # one float accumulator would swallow every later square
    backend = get_backend("cuda-host", dtype)
    wanted = 1e8 + 69999 * float(x[1])**2
    total = np.zeros(1)
    backend.update.sum_of_squares(x, total, backend.scratch)
    np.testing.assert_allclose(total, [wanted], rtol=1e-12)
    squares = backend.scalars().squares
    backend.update.add_squares(Parameters(x, x, (), (Segment(0, x.size),)), squares,
                               backend.scratch)
    np.testing.assert_allclose(squares, [wanted], rtol=1e-12)


def test_misfits_are_refused(dtype):
    backend, own = get_backend("cuda-host", dtype), parameters(dtype, 1)
    own.history = (values(SIZE - 1, dtype),)
    with pytest.raises(ShapeError, match="history 0"):
        backend.update.sgd(own, UpdateSpec(), backend.scalars(), backend.scratch)
