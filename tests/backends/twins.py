"""Compares an op of the CPU backend with its CUDA twin, run on the host."""
from __future__ import annotations

import copy
import inspect

import numpy as np

from caffe_lrcn.backends import get_backend

TOLERANCE = {np.dtype(np.float32): 2e-5, np.dtype(np.float64): 1e-12}


def values(shape, dtype, seed=0, low=-2.0, high=2.0):
    """Return random numbers of a shape."""
    rng = np.random.default_rng([seed, *np.atleast_1d(shape)])
    return rng.uniform(low, high, shape).astype(dtype)


def rubbish(shape, dtype):
    """Return an output that must be overwritten: one cell left alone fails the comparison."""
    return np.full(shape, 1e6, dtype)


def assert_same(got, wanted, dtype):
    """Compare two results or nests of results; NaN equals NaN."""
    if isinstance(wanted, (tuple, list)):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            assert_same(one, other, dtype)
    elif isinstance(wanted, np.ndarray):
        assert got.shape == wanted.shape and got.dtype == wanted.dtype
        tolerance = TOLERANCE[np.dtype(dtype)]
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)
    else:
        assert got == wanted


def assert_twins(op, *args, dtype):
    """Call ``module.function`` of both backends on copies; compare all arrays and the results.

    ``scratch``, where the op wants it, is the backend's. An array given twice stays one array, so
    that in-place use is tested as such.
    """
    module, name = op.split(".")
    outcomes = []
    for device in ("cpu", "cuda-host"):
        arrays, backend = copy.deepcopy(args), get_backend(device, dtype)
        function = getattr(getattr(backend, module), name)
        wants_scratch = "scratch" in inspect.signature(function).parameters
        returned = function(*arrays, *([backend.scratch] if wants_scratch else []))
        outcomes.append((arrays, returned))
    (wanted_arrays, wanted), (got_arrays, got) = outcomes
    assert_same(got_arrays, wanted_arrays, dtype)
    assert_same(got, wanted, dtype)
    return got_arrays, got


def plans(module, spec, x_shape, dtype):
    """Return the plans of both backends: (CPU, CUDA on the host)."""
    backends = [get_backend(device, dtype) for device in ("cpu", "cuda-host")]
    return [getattr(backend, module).plan(spec, x_shape, backend) for backend in backends]
