"""The backend ``shapes``: arrays of any size without memory, and without values."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import OP_MODULES, get_backend
from caffe_lrcn.backends.specs import ConvSpec
from caffe_lrcn.blob import Blob
from caffe_lrcn.errors import BackendError

from ..harness.memory import peak_memory

BACKEND = get_backend("shapes")


def test_arrays_follow_numpy_s_rules_of_shapes():
    array, true = BACKEND.zeros(24).reshape(2, 3, 4), np.zeros((2, 3, 4), np.float32)
    assert (array.shape, array.dtype, array.size, array.ndim, array.nbytes, len(array)) == (
        true.shape, true.dtype, true.size, true.ndim, true.nbytes, len(true))
    for key in (0, slice(1), (..., 2), (slice(None), 1, slice(0, 3, 2)), (0, 0, 0)):
        assert array[key].shape == true[key].shape
    assert array.reshape(6, -1).shape == (6, 4) and array.transpose(2, 0, 1).shape == (4, 2, 3)
    assert array.view(np.uint8).shape == (2, 3, 16)
    array[0] = np.ones((3, 4))
    array[...] = 3
    array.fill(1)
    for wrong in (lambda: array[2], lambda: array.reshape(5, 5)):
        with pytest.raises((IndexError, ValueError)):
            wrong()
    for value in (np.ones(5), np.ones((2, 3, 4))):
        with pytest.raises(ValueError, match="shape"):
            array[0] = value


@pytest.mark.parametrize("read", [
    np.asarray, float, bool, list, lambda x: x + 1, lambda x: 2 * x, lambda x: x == 0,
    lambda x: np.ones(1) - x, lambda x: x < 1, BACKEND.download, lambda x: BACKEND.xp.sum(x)])
def test_values_cannot_be_read(read):
    with pytest.raises(BackendError, match="knows shapes, not values"):
        read(BACKEND.zeros(1))


def test_blobs_work_and_hold_nothing():
    blob = Blob(BACKEND, (1000, 1000, 1000))

    def use():
        blob.data[...] = 1
        blob.host_diff[0] = np.ones(1000)
        blob.reshape(2000, 1000, 1000)
        assert blob.data.shape == blob.host_data.shape == (2000, 1000, 1000)
    assert peak_memory(use) < 1 << 16
    with pytest.raises(BackendError):
        float(blob.host_data[0, 0, 0])


@pytest.mark.parametrize("name", OP_MODULES)
def test_ops_refuse(name):
    module = getattr(BACKEND, name)
    if hasattr(module, "plan"):
        plan = module.plan(ConvSpec(1, (1,), (1,), (0,), (1,)), (1, 1, 1), BACKEND)
        with pytest.raises(BackendError):
            plan.forward()
    for key, function in vars(module).items():
        if key != "plan" and not key.startswith("_"):
            with pytest.raises(BackendError):
                function()
