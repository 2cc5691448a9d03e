"""As much of CuPy as the launchers touch, over the host's memory.

Arrays are NumPy arrays that do not look like ones. cuBLAS is column-major arithmetic on pointers,
as the real one is; kernels check the types of their arguments and then run compiled for the host.
Where no GPU can be had, this shows that leading dimensions, operand order and argument types fit.
"""
from __future__ import annotations

import ctypes
import functools
import re
import sys
import threading
import types

import numpy as np

from caffe_lrcn.backends.cuda import compile as cuda_compile

FP32, TF32, BF16, FP64 = 68, 77, 75, 70
_C_TYPES = {0: np.float32, 1: np.float64}
_NAMES = {"float": np.float32, "double": np.float64}


class _Thread(threading.local):
    """The numbers of the current device of a thread, and of those it was before."""

    def __init__(self):
        self.devices = [0]


class Device:
    """A GPU that is the host. As in CUDA, which one is current belongs to the thread."""

    thread = _Thread()

    def __init__(self, index=None):
        self.id = Device.thread.devices[-1] if index is None else index

    def __enter__(self):
        Device.thread.devices.append(self.id)

    def __exit__(self, *error):
        Device.thread.devices.pop()


class Array:
    """Wraps a NumPy array; views share its memory. Lies on the device current at its making."""

    def __init__(self, host, device=None):
        self.host, self.device = host, device or Device()
        self.data = types.SimpleNamespace(ptr=host.ctypes.data)

    def __getattr__(self, name):  # shape, dtype, strides, flags, tolist, …
        return getattr(self.host, name)

    def __getitem__(self, key):
        return Array(self.host[key], self.device)

    def __setitem__(self, key, value):
        self.host[key] = self._other(value)

    def __len__(self):
        return len(self.host)

    def __iter__(self):
        return (Array(row, self.device) for row in self.host)

    def __imul__(self, other):
        self.host *= self._other(other)
        return self

    def __iadd__(self, other):
        self.host += self._other(other)
        return self

    def __mul__(self, other):
        return Array(self.host * self._other(other))

    def fill(self, value):
        self.host.fill(self._other(value))

    def view(self, dtype):
        return Array(self.host.view(dtype), self.device)

    def reshape(self, *shape):
        return Array(self.host.reshape(*shape), self.device)

    def astype(self, dtype):
        return Array(self.host.astype(dtype))

    def sum(self):
        return Array(np.asarray(self.host.sum()))

    def _other(self, value):
        """Return an operand; work on this array must run on its device."""
        assert self.device.id == Device().id
        assert not isinstance(value, Array) or value.device.id == self.device.id
        return _host(value)


def _host(value):
    return value.host if isinstance(value, Array) else value


def _result(out, computed):
    """Return what an operation wrote, which must lie on the current device."""
    assert out is None or out.device.id == Device().id
    return Array(computed) if out is None else out


class RawModule:
    """Hands out kernels by name expression, checked as CuPy's and CUDA would (or should) do."""

    launches: list = []

    def __init__(self, code, options, name_expressions):
        self.code, self.names = code, name_expressions
        assert options == ("--std=c++17",)

    def get_function(self, expression):
        assert expression in self.names
        kernel, c_name = re.fullmatch(r"(\w+)<(\w+)>", expression).groups()
        source = next(source for source in cuda_compile.SOURCES
                      if cuda_compile.source_text(source) == self.code)
        parameters = cuda_compile.signatures(source)[kernel]
        dtype = np.dtype(_NAMES[c_name])

        def run(grid, block, args):
            assert len(grid) == len(block) == 1 and len(args) == len(parameters)
            assert 0 < grid[0] <= 65535 and 0 < block[0] <= 256
            assert block[0] & (block[0] - 1) == 0
            for arg, parameter in zip(args, parameters, strict=True):
                assert not isinstance(arg, Array) or arg.device.id == Device().id
                assert isinstance(arg, Array if parameter.pointer else np.generic)
                assert arg.dtype == parameter.dtype(dtype)
            RawModule.launches.append((kernel, grid[0], block[0]))
            cuda_compile._host_kernel(source, kernel, dtype)(
                1, *(arg.data.ptr if isinstance(arg, Array) else arg.item() for arg in args))
        return run


def _matrix(pointer, c_type, rows, columns, ld):
    """Return a column-major matrix at an address, with leading dimension ``ld``."""
    assert ld >= max(1, rows)
    dtype = np.dtype(_C_TYPES[c_type])
    length = (columns - 1) * ld + rows
    raw = (ctypes.c_char * (length * dtype.itemsize)).from_address(pointer)
    return np.lib.stride_tricks.as_strided(np.frombuffer(raw, dtype), (rows, columns),
                                           (dtype.itemsize, ld * dtype.itemsize))


def gemm_ex(handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type,
            ldc, compute, algorithm):
    """cublasGemmEx by its manual: C (m, n) = alpha op(A) op(B) + beta C, column-major."""
    assert handle == "handle" and algorithm == -1
    assert (compute == FP64) == (c_type == 1)
    left = _matrix(a, a_type, *((k, m) if op_a else (m, k)), lda)
    right = _matrix(b, b_type, *((n, k) if op_b else (k, n)), ldb)
    out = _matrix(c, c_type, m, n, ldc)
    product = (left.T if op_a else left) @ (right.T if op_b else right)
    factors = [np.frombuffer((ctypes.c_char * 8).from_address(p), _C_TYPES[c_type], 1)[0]
               if c_type else np.frombuffer((ctypes.c_char * 4).from_address(p), np.float32, 1)[0]
               for p in (alpha, beta)]
    out[...] = factors[0] * product + (factors[1] * out if factors[1] else 0)
    gemm_ex.computes.append(compute)


gemm_ex.computes = []


def gemm_strided_batched_ex(handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, stride_a, b,
                            b_type, ldb, stride_b, beta, c, c_type, ldc, stride_c, count, compute,
                            algorithm):
    """cublasGemmStridedBatchedEx: matrices ``stride`` elements apart."""
    size = np.dtype(_C_TYPES[c_type]).itemsize
    for i in range(count):
        gemm_ex(handle, op_a, op_b, m, n, k, alpha, a + i * stride_a * size, a_type, lda,
                b + i * stride_b * size, b_type, ldb, beta, c + i * stride_c * size, c_type, ldc,
                compute, algorithm)


def install(monkeypatch, gpus=1):
    """Make ``import cupy`` find this; return the module."""
    def module(name, **members):
        made = types.ModuleType(name)
        made.__dict__.update(members)
        made.__spec__ = types.SimpleNamespace(name=name)
        monkeypatch.setitem(sys.modules, name, made)
        return made

    runtime = module("cupy.cuda.runtime", CUDA_R_32F=0, CUDA_R_64F=1,
                     getDeviceCount=lambda: gpus)
    device = module("cupy.cuda.device", get_cublas_handle=lambda: "handle")
    cuda = module("cupy.cuda", runtime=runtime, device=device, Device=Device)
    cublas = module("cupy_backends.cuda.libs.cublas", CUBLAS_OP_N=0, CUBLAS_OP_T=1,
                    CUBLAS_COMPUTE_32F=FP32, CUBLAS_COMPUTE_32F_FAST_TF32=TF32,
                    CUBLAS_COMPUTE_32F_FAST_16BF=BF16, CUBLAS_COMPUTE_64F=FP64, gemmEx=gemm_ex,
                    gemmStridedBatchedEx=gemm_strided_batched_ex)
    nvrtc = module("cupy_backends.cuda.libs.nvrtc", getVersion=lambda: (12, 9))
    libs = module("cupy_backends.cuda.libs", cublas=cublas, nvrtc=nvrtc)
    module("cupy_backends", cuda=module("cupy_backends.cuda", libs=libs))
    made = module("cupy", cuda=cuda, RawModule=RawModule, asnumpy=_host, **{
        name: (lambda function: lambda *args, out=None, **kw: _result(out, np.asarray(function(
            *map(_host, args), out=_host(out), **kw))))(getattr(np, name))
        for name in ("maximum", "divide")}, **{
        name: (lambda function: lambda *args, **kw: Array(np.asarray(function(
            *map(_host, args), **kw))))(getattr(np, name))
        for name in ("zeros", "empty", "arange", "asarray")})
    for name in ("_device_kernel", "_device_module"):
        uncached = getattr(cuda_compile, name).__wrapped__
        monkeypatch.setattr(cuda_compile, name, functools.cache(uncached))
    RawModule.launches.clear()
    gemm_ex.computes.clear()
    return made
