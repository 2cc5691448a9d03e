"""The op modules of all backends offer the same functions with the same parameters."""
from __future__ import annotations

import importlib
import inspect

import numpy as np
import pytest

from caffe_lrcn.backends import OP_MODULES, get_backend
from caffe_lrcn.backends.specs import ConvSpec, LRNSpec, PoolSpec

PLANS = {
    "conv": (ConvSpec(2, (1, 1), (1, 1), (0, 0), (1, 1)), (1, 1, 3, 3)),
    "MAX pool": (PoolSpec("MAX", (2, 2)), (1, 1, 3, 3)),
    "AVE pool": (PoolSpec("AVE", (2, 2)), (1, 1, 3, 3)),
    "LRN across": (LRNSpec(3, 1.0, 0.75, 1.0), (1, 3, 2, 2)),
    "LRN within": (LRNSpec(3, 1.0, 0.75, 1.0, within=True), (1, 3, 2, 2)),
}


def parameters(function):
    """Return names, kinds and defaults; annotations may differ, arrays are not the same type."""
    return [(parameter.name, parameter.kind, parameter.default)
            for parameter in inspect.signature(function).parameters.values()]


def public_functions(family, name):
    module = importlib.import_module(f"caffe_lrcn.backends.{family}.{name}")
    return {key: parameters(value) for key, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
            and not key.startswith("_")}


def methods(plan):
    return {key: parameters(getattr(plan, key)) for key in dir(plan)
            if not key.startswith("_") and callable(getattr(plan, key))}


@pytest.mark.parametrize("name", OP_MODULES)
def test_functions(name):
    cpu, cuda = public_functions("cpu", name), public_functions("cuda", name)
    assert cpu and cuda == cpu
    shapes = getattr(get_backend("shapes"), name)
    assert cpu == {key: parameters(value) for key, value in vars(shapes).items()
                   if inspect.isfunction(value)}


@pytest.mark.parametrize("math", ["tf32", "bf16"])
def test_products_in_other_precisions(math):
    assert public_functions("cuda", f"blas_{math}") == public_functions("cpu", "blas")


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plans(name, dtype):
    spec, x_shape = PLANS[name]
    module = {"conv": "conv", "LRN": "lrn"}.get(name.split()[0], "pool")
    cpu, cuda = (getattr(backend, module).plan(spec, x_shape, backend)
                 for backend in (get_backend("cpu", dtype), get_backend("cuda-host", dtype)))
    assert methods(cpu) and methods(cuda) == methods(cpu)
    assert hasattr(cpu, "mask") == hasattr(cuda, "mask") == (module == "pool")


def test_a_difference_is_seen():
    def forward(x, y):
        pass

    def renamed(x, top):
        pass

    def defaulted(x, y=None):
        pass
    assert parameters(forward) != parameters(renamed)
    assert parameters(forward) != parameters(defaulted)
