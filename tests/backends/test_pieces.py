from __future__ import annotations

import dataclasses
import types

import numpy as np

from caffe_lrcn.backends.cpu.blocks import BLOCK


def test_a_cpu_gets_pieces(backend):
    x, y = np.arange(3.0 * BLOCK).reshape(3, BLOCK), np.zeros((BLOCK, 3))
    pieces = list(backend.pieces(x, y))
    assert [a.shape for piece in pieces for a in piece] == [(BLOCK,)] * 6
    for x_, y_ in pieces:
        y_[...] = x_
    np.testing.assert_array_equal(y.ravel(), x.ravel())


def test_a_gpu_gets_whole_arrays(backend):
    gpu = dataclasses.replace(backend, xp=types.ModuleType("cupy"))
    ((x,),) = gpu.pieces(np.zeros((3, BLOCK)))
    assert x.shape == (3 * BLOCK,)
