"""Open a GPU through CuPy, or say why that cannot be done."""
from __future__ import annotations

import importlib.util
from types import ModuleType

from ... import hints
from ...errors import BackendError

#: What to do without a GPU, for those who build backends in Python.
USE_CPU = 'use get_backend("cpu")'


def open_device(name: str, without_gpu: str = USE_CPU) -> ModuleType:
    """Return CuPy if it can use a GPU; the thread's current GPU stays what it was.

    Args:
        name: ``gpu`` (the first one) or ``gpu:N``.
        without_gpu: what errors say to do to run without a GPU.

    Raises:
        BackendError: a name of another form; CuPy is missing or cannot be loaded; there is no
            driver or no such GPU. The message says what to do.
    """
    index = device_number(name)
    without_gpu += " to run without a GPU"
    cupy = _import_cupy(without_gpu)
    count = _count(cupy, without_gpu)
    _load_libraries(without_gpu)
    if index >= count:
        raise BackendError(f"there is no GPU {index}", got=f"{count} usable GPU(s)",
                         wanted=f"0 to {count - 1}", remedy=f"Choose another, or {without_gpu}.")
    return cupy


def device_number(name: str) -> int:
    """Return N of ``gpu:N``, 0 of ``gpu``.

    Raises:
        BackendError: a name of another form.
    """
    _, _, number = name.partition(":")
    if name != "gpu" and not (name.startswith("gpu:") and number.isdecimal()):
        raise BackendError("unknown device", got=name, wanted="gpu or gpu:N")
    return int(number or 0)


def first_usable_gpu() -> int | None:
    """Return the number of the first GPU that memory can be had on, or None; never raises."""
    if importlib.util.find_spec("cupy") is None:
        return None
    try:
        cupy = _import_cupy(USE_CPU)
        count = _count(cupy, USE_CPU)
        _load_libraries(USE_CPU)
    except BackendError:
        return None
    return next((index for index in range(count) if _answers(cupy, index)), None)


def _import_cupy(without_gpu: str) -> ModuleType:
    if importlib.util.find_spec("cupy") is None:
        raise BackendError(
            "a GPU needs CuPy, which is not installed",
            remedy=f"{_install_cupy()}, as your driver asks; or {without_gpu}.")
    try:
        import cupy
    except Exception as error:  # CuPy raises what its libraries raise when they do not load
        raise BackendError("CuPy is installed but cannot be loaded", got=error,
                           remedy=f"{_install_cupy()}, again; or {without_gpu}.") from error
    return cupy


def _count(cupy: ModuleType, without_gpu: str) -> int:
    """Return the number of GPUs, at least one."""
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # no driver, or one that is too old
        raise BackendError("no GPU can be used", got=error,
                           remedy=f"Check the driver with nvidia-smi, or {without_gpu}.") from error
    if count == 0:
        raise BackendError("no GPU was found",
                           remedy=f"Check the driver with nvidia-smi, or {without_gpu}.")
    return count


def _load_libraries(without_gpu: str) -> None:
    """Load what is used later: better a word now than an error in the middle of a layer."""
    try:
        from cupy_backends.cuda.libs import cublas, nvrtc
        cublas.CUBLAS_COMPUTE_32F, nvrtc.getVersion()
    except Exception as error:
        raise BackendError("CuPy cannot load cuBLAS or NVRTC", got=error,
                           remedy=f"{_install_cupy()}, which brings them; or {without_gpu}."
                           ) from error


def _install_cupy() -> str:
    return hints.install("cuda13", "cuda12")


def _answers(cupy: ModuleType, index: int) -> bool:
    try:
        with cupy.cuda.Device(index):
            cupy.zeros(1)
    except Exception:  # busy in exclusive mode, out of memory, broken
        return False
    return True
