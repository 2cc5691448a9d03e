"""Backends: one frozen set of op modules per device, handed down from the command to the layers.

Every backend offers modules of the same names whose functions have the same signatures (a test
compares them). Ops know arrays, never blobs or layers; they write into arrays they are handed.
Gradients of activations are overwritten, gradients of parameters accumulate.

``blas``          gemm
``conv``          plan(spec, x_shape, backend) -> object with forward, backward_*
``pool``          plan(spec, x_shape, backend) -> object with forward, backward
``lrn``           plan(spec, x_shape, backend) -> object with forward, backward
``embed``         forward, backward
``recurrent``     the fused LSTM and RNN cells of one time step
``softmax_loss``  softmax_forward, softmax_backward, loss_forward, loss_backward, read_classes, …
``elementwise``   relu, sigmoid, tanh, power, prelu, dropout, …
``update``        the solver's rules, and sums in float64
"""
from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import BackendError
from ..memory import check_room
from .cpu.blocks import blocks
from .cuda.device import USE_CPU, device_number, open_device
from .scalars import Scalars
from .scratch import Scratch

OP_MODULES = ("blas", "conv", "pool", "lrn", "embed", "recurrent", "softmax_loss", "elementwise",
              "update")
MATH_MODES = ("fp32", "tf32", "bf16")
_ALIGNMENT = 64
#: What to do where arrays do not fit in the memory.
SMALLER = "Use a smaller batch or net, or a machine with more memory."
_HOST: AbstractContextManager[object] = nullcontext()


@dataclass(frozen=True)
class Backend:
    """Where and how the arithmetic runs.

    ``xp`` is the array module (NumPy or CuPy), ``dtype`` the type of every blob, ``math`` the
    precision of large matrix products, ``scratch`` has temporaries for one op; the rest are the op
    modules. A GPU's number is ``gpu``: whoever runs ops enters ``device`` first.
    """

    name: str
    xp: ModuleType = field(repr=False)
    dtype: np.dtype
    math: str
    blas: ModuleType = field(repr=False)
    conv: ModuleType = field(repr=False)
    pool: ModuleType = field(repr=False)
    lrn: ModuleType = field(repr=False)
    embed: ModuleType = field(repr=False)
    recurrent: ModuleType = field(repr=False)
    softmax_loss: ModuleType = field(repr=False)
    elementwise: ModuleType = field(repr=False)
    update: ModuleType = field(repr=False)
    gpu: int | None = None
    scratch: Scratch = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scratch", Scratch(
            lambda size: self.zeros(size, np.uint8), self.dtype))

    @property
    def is_gpu(self) -> bool:
        """Whether arrays live in a GPU's memory."""
        return self.xp is not np

    @property
    def has_values(self) -> bool:
        """Whether arrays hold values; False of the backend ``shapes`` alone."""
        return True

    @property
    def device(self) -> AbstractContextManager[object]:
        """A context in which this thread's arrays and kernels are of the backend's device."""
        return _HOST if self.gpu is None else self.xp.cuda.Device(self.gpu)

    def scalars(self) -> Scalars:
        """Return the numbers and the status word of a step, all zero, for one net."""
        return Scalars(self)

    def zeros(self, count: int, dtype: Any = None) -> Any:
        """Return a zeroed flat array of ``count`` elements, 64-byte aligned.

        Raises:
            BackendError: it does not fit in the memory of the host.
        """
        dtype = np.dtype(dtype or self.dtype)
        if self.is_gpu:
            with self.device:
                return self.xp.zeros(count, dtype)
        check_room(count * dtype.itemsize, BackendError, f"an array of {count:,} elements",
                   remedy=SMALLER)
        raw = np.zeros(count * dtype.itemsize + _ALIGNMENT, np.uint8)
        start = -raw.ctypes.data % _ALIGNMENT
        return raw[start:start + count * dtype.itemsize].view(dtype)

    def pieces(self, *arrays: Any) -> Iterator[tuple[Any, ...]]:
        """Yield matching flat views of arrays of one size; on a CPU they are pieces of them.

        Temporaries of a piece's size fit the cache; on a GPU cutting would only cost launches.
        What is taken from ``scratch`` for a piece is taken back after it.
        """
        if self.is_gpu:
            yield tuple(array.reshape(-1) for array in arrays)
        else:
            for piece in blocks(*arrays):
                with self.scratch.frame():
                    yield piece

    def upload(self, array: Any) -> Any:
        """Return ``array`` (NumPy or anything NumPy takes) on the device."""
        with self.device:
            return self.xp.asarray(array)

    def download(self, array: Any) -> np.ndarray:
        """Return ``array`` of the device as a NumPy array."""
        if isinstance(array, np.ndarray):
            return array
        with self.device:
            return self.xp.asnumpy(array)


def get_backend(device: str = "cpu", dtype: Any = np.float32, math: str = "fp32", *,
                without_gpu: str = USE_CPU) -> Backend:
    """Return the backend of a device.

    Args:
        device: ``cpu``; ``gpu:N``; ``shapes``, whose arrays know shape and dtype and hold no
            memory, so that a net can be looked at without being run; or ``cuda-host``, which runs
            the CUDA kernels compiled for the host over NumPy arrays (slow; for checking kernels
            where there is no GPU).
        dtype: ``float32`` or ``float64``, the type of every blob.
        math: ``fp32``, ``tf32`` (GPU only) or ``bf16``; snapshots are float32 in any case.
        without_gpu: what the error says to do where the GPU is not there.

    Raises:
        BackendError: an unknown device, type or mode, or a GPU that is not there.
    """
    dtype = np.dtype(dtype)
    if dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise BackendError("blobs are float32 or float64", got=dtype)
    if math not in MATH_MODES:
        raise BackendError("unknown math mode", got=math, wanted=", ".join(MATH_MODES))
    if device == "cpu":
        if math == "tf32":
            raise BackendError("tf32 needs a GPU", remedy="Use fp32 or bf16.")
        return _assemble("cpu", np, dtype, math, "cpu")
    if device == "shapes":
        from .shapes import open_backend
        return open_backend(dtype, math, OP_MODULES)
    if device == "cuda-host":
        return _assemble("cuda-host", np, dtype, math, "cuda")
    if device == "gpu" or device.startswith("gpu:"):
        return _assemble(device, open_device(device, without_gpu), dtype, math, "cuda",
                         device_number(device))
    raise BackendError("unknown device", got=device, wanted="cpu or gpu:N")


def _assemble(name: str, xp: ModuleType, dtype: np.dtype, math: str, family: str,
              gpu: int | None = None) -> Backend:
    ops = {op: importlib.import_module(f"{__name__}.{family}.{op}") for op in OP_MODULES}
    if family == "cuda" and math != "fp32":
        # The mode is bound here, so that ops keep one signature and no state.
        ops["blas"] = importlib.import_module(f"{__name__}.cuda.blas_{math}")
    return Backend(name=name, xp=xp, dtype=dtype, math=math, gpu=gpu, **ops)
