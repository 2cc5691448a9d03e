"""Opening a GPU, and the way of CuPy arrays through the launchers, on a stand-in for CuPy."""
from __future__ import annotations

import importlib.util
import sys
import types
from argparse import Namespace

import numpy as np
import pytest

import caffe_lrcn as caffe
from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cuda import device, update
from caffe_lrcn.backends.cuda.matmul import matmul
from caffe_lrcn.backends.scalars import BAD_INDEX, BAD_LABEL
from caffe_lrcn.backends.specs import ConvSpec, LRNSpec, PoolSpec
from caffe_lrcn.cli.runtime import open_backend
from caffe_lrcn.errors import BackendError
from tests.harness.compiler import needs_compiler

from . import fake_cupy
from .twins import assert_same, values

both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def cupy(monkeypatch):
    return fake_cupy.install(monkeypatch)


@pytest.fixture
def no_cupy(monkeypatch):
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name, *rest: None if name == "cupy" else find(name, *rest))


def test_without_cupy_the_message_names_the_extras(no_cupy):
    with pytest.raises(BackendError, match=r"\[cuda13\].*\[cuda12\].*get_backend"):
        get_backend("gpu:0")
    assert device.first_usable_gpu() is None
    assert "cupy" not in sys.modules


def test_a_gpu_is_opened(cupy):
    backend = get_backend("gpu:0")
    assert backend.xp is cupy and backend.is_gpu and backend.gpu == 0
    assert device.first_usable_gpu() == 0


def test_opening_a_gpu_leaves_the_current_one(monkeypatch):
    fake_cupy.install(monkeypatch, gpus=2)
    backend = get_backend("gpu:1")
    assert fake_cupy.Device().id == 0
    with backend.device:
        assert fake_cupy.Device().id == 1
    assert backend.zeros(3).device.id == backend.scalars().status.device.id == 1


def test_the_remedy_without_a_gpu_speaks_the_callers_language(no_cupy, monkeypatch):
    caffe.set_mode_gpu()
    with pytest.raises(BackendError, match=r"or call caffe.set_mode_cpu\(\) to run without a GPU"):
        caffe.pycaffe.modes.current_backend()
    caffe.set_mode_cpu()
    with pytest.raises(BackendError, match="or use --cpu to run without a GPU"):
        open_backend(Namespace(gpu="0", cpu=False, threads=None, math="fp32"))


def test_a_gpu_that_is_not_there(cupy):
    with pytest.raises(BackendError, match=r"no GPU 3 .*1 usable.*get_backend"):
        device.open_device("gpu:3")


@pytest.mark.parametrize("name", ["gpu:", "gpu:one", "gpu:-1", "gpux"])
def test_a_name_of_another_form(name, cupy):
    with pytest.raises(BackendError, match="unknown device"):
        device.open_device(name)


def test_no_driver(cupy, monkeypatch):
    def fails():
        raise RuntimeError("cudaErrorInsufficientDriver")
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceCount", fails)
    with pytest.raises(BackendError, match="InsufficientDriver.*get_backend"):
        device.open_device("gpu:0")
    assert device.first_usable_gpu() is None


def test_no_gpu_in_the_machine(monkeypatch):
    fake_cupy.install(monkeypatch, gpus=0)
    with pytest.raises(BackendError, match="no GPU was found.*get_backend"):
        device.open_device("gpu")
    assert device.first_usable_gpu() is None


def test_cupy_that_does_not_load(cupy, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: types.SimpleNamespace())
    with pytest.raises(BackendError, match="cannot be loaded.*get_backend"):
        device.open_device("gpu")
    assert device.first_usable_gpu() is None


def test_missing_cuda_libraries(cupy, monkeypatch):
    monkeypatch.delattr(sys.modules["cupy_backends.cuda.libs"], "cublas")
    monkeypatch.setitem(sys.modules, "cupy_backends.cuda.libs.cublas", None)
    with pytest.raises(BackendError, match="cuBLAS or NVRTC.*cuda12.*get_backend"):
        device.open_device("gpu")
    assert device.first_usable_gpu() is None


def test_the_first_gpu_that_gives_memory(monkeypatch):
    cupy, tried = fake_cupy.install(monkeypatch, gpus=3), []

    def zeros(count):
        tried.append(count)
        if len(tried) < 2:
            raise MemoryError
    monkeypatch.setattr(cupy, "zeros", zeros)
    assert device.first_usable_gpu() == 1


@both_types
@pytest.mark.parametrize("trans_a", [False, True])
@pytest.mark.parametrize("trans_b", [False, True])
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("sizes", [(3, 5, 4), (1, 5, 4), (3, 1, 4), (3, 5, 1), (1, 1, 1),
                                   (3, 0, 4), (0, 2, 3)])
def test_products_by_column_major_blas(cupy, dtype, trans_a, trans_b, accumulate, sizes):
    m, k, n = sizes
    a = values((k, m) if trans_a else (m, k), dtype)
    b = values((n, k) if trans_b else (k, n), dtype, 1)
    out = values((m, n), dtype, 2)
    wanted = (a.T if trans_a else a) @ (b.T if trans_b else b) + (out if accumulate else 0)
    backend = get_backend("gpu:0", dtype)
    backend.blas.gemm(*map(fake_cupy.Array, (a, b, out)), backend.scratch, trans_a, trans_b,
                      accumulate)
    assert_same(out, wanted.astype(dtype), dtype)


@both_types
def test_products_of_stacks(cupy, dtype):
    a, stack = values((2, 3), dtype), values((4, 6, 5), dtype, 1)
    out = np.zeros((4, 7, 5), dtype)
    # A group's part of columns and top: matrices further apart than they are large.
    matmul(fake_cupy.Array(a), fake_cupy.Array(stack[:, 3:]), fake_cupy.Array(out[:, 1:3]))
    assert_same(out[:, 1:3], a @ stack[:, 3:], dtype)
    assert not out[:, :1].any() and not out[:, 3:].any()


@pytest.mark.parametrize("math, compute", [
    ("fp32", fake_cupy.FP32), ("tf32", fake_cupy.TF32), ("bf16", fake_cupy.BF16)])
def test_math_of_products(cupy, math, compute):
    square = [fake_cupy.Array(values((2, 2), np.float32, seed)) for seed in range(3)]
    matmul(*square, math=math)
    backend = get_backend("gpu:0", np.float32, math)
    backend.blas.gemm(*square, backend.scratch)
    spec = ConvSpec(1, (), (), (), (), bias=False)
    backend.conv.plan(spec, (2, 2), backend).forward(square[0], square[1][:1], None,
                                                     square[2][:, :1].reshape(2, 1))
    # One product, then one, then a stack of two images.
    assert fake_cupy.gemm_ex.computes == [compute] * 4


def test_double_products_stay_double(cupy):
    square = [fake_cupy.Array(values((2, 2), np.float64, seed)) for seed in range(3)]
    backend = get_backend("gpu:0", np.float64, "tf32")
    backend.blas.gemm(*square, backend.scratch)
    assert fake_cupy.gemm_ex.computes == [fake_cupy.FP64]


@needs_compiler
@both_types
def test_layers_on_device_arrays(cupy, dtype):
    """Every plan gives on (stand-in) device arrays what it gives on host arrays."""
    x, w, b = values((2, 4, 7, 6), dtype), values((6, 2, 3, 3), dtype, 1), values(6, dtype, 2)
    conv = ConvSpec(6, (3, 3), (2, 1), (1, 0), (1, 1), 2)

    def run(backend, wrap):
        def zeros(*shape):
            return wrap(np.zeros(shape, dtype))
        y, dx, dw, db = zeros(2, 6, 4, 4), zeros(*x.shape), zeros(*w.shape), zeros(6)
        plan = backend.conv.plan(conv, x.shape, backend)
        plan.forward(wrap(x), wrap(w), wrap(b), y)
        plan.backward_data(y, wrap(w), dx)
        plan.backward_weights(wrap(x), y, dw)
        plan.backward_bias(y, db)
        pooled, normed = zeros(2, 4, 3, 3), zeros(*x.shape)
        backend.pool.plan(PoolSpec("MAX", (3, 2), (2, 2)), x.shape, backend).forward(
            wrap(x), pooled)
        backend.lrn.plan(LRNSpec(3, 0.5, 0.75, 1.0), x.shape, backend).forward(wrap(x), normed)
        return [fake_cupy._host(array) for array in (y, dx, dw, db, pooled, normed)]

    got = run(get_backend("gpu:0", dtype), fake_cupy.Array)
    assert_same(got, run(get_backend("cuda-host", dtype), lambda array: array), dtype)
    launched = {kernel for kernel, *_ in fake_cupy.RawModule.launches}
    assert launched >= {"im2col", "col2im", "bias_add", "max_pool_forward", "lrn_output"}


@needs_compiler
@both_types
def test_labels_on_device_arrays(cupy, dtype):
    ops, wrap = get_backend("gpu:0", dtype), fake_cupy.Array
    prob, label = wrap(np.full((2, 4, 1), 0.25, dtype)), wrap(np.array([[1], [9]], dtype))
    loss, count, status = ops.zeros(1), ops.zeros(1), ops.zeros(1, np.int32)
    ops.softmax_loss.loss_forward(prob, label, 9, loss, count, status, ops.scratch)
    assert_same([loss.host, count.host, status.host],
                [np.log([4], dtype=dtype), np.ones(1, dtype), np.zeros(1, np.int32)], dtype)
    dx = wrap(np.ones((2, 4, 1), dtype))
    ops.softmax_loss.loss_backward(prob, label, 9, wrap(np.asarray(2, dtype)), dx,
                                   ops.scratch)
    assert dx.tolist() == [[[0.5], [-1.5], [0.5], [0.5]], [[0], [0], [0], [0]]]
    ops.softmax_loss.loss_forward(prob, label, None, loss, count, status, ops.scratch)
    assert status.tolist() == [BAD_LABEL]
    table, out = wrap(values((3, 5), dtype)), wrap(np.ones((2, 1, 5), dtype))
    ops.embed.forward(label, table, None, out, -1, status, ops.scratch)
    assert status.tolist() == [BAD_LABEL | BAD_INDEX]
    dy, d_table = wrap(values((3, 5), dtype, 1)), wrap(np.zeros((3, 5), dtype))
    ops.embed.backward(wrap(np.array([2, -1, 2], dtype)), dy, d_table, None, ops.scratch)
    assert_same(d_table.host[2], dy.host[0] + dy.host[2], dtype)
    assert not d_table.host[:2].any()


@needs_compiler
@both_types
def test_dropout_and_update_on_device_arrays(cupy, dtype):
    ops, wrap = get_backend("gpu:0", dtype), fake_cupy.Array
    x, mask = wrap(np.ones(1000, dtype)), wrap(np.zeros(1000, np.uint32))
    ops.elementwise.dropout_forward(x, mask, (2**64 - 1, 5), 2**40, 2**32 - 1, 2.0, x, ops.scratch)
    assert not x.host.any() and mask.host.any()
    total = ops.zeros(1, np.float64)
    update.sum_of_squares(wrap(np.full(1000, 2, dtype)), total, ops.scratch)
    assert total.tolist() == [4000]
    assert [launch[:3] for launch in fake_cupy.RawModule.launches] == [
        ("dropout_forward", 1, 256), ("partial_sums", 4, 256),
        ("add_squares", 1, 256)]


@needs_compiler
def test_arrays_of_two_devices_are_refused(cupy):
    x = values(3, np.float32)
    with pytest.raises(BackendError, match="different devices"):
        get_backend("gpu:0").elementwise.tanh_forward(fake_cupy.Array(x), x)
