"""Compile and launch the kernels of the ``.cu`` files, on a GPU or on the host.

CuPy arrays go to kernels compiled by NVRTC (through CuPy's RawModule). NumPy arrays go to the same
kernels compiled by a C++ compiler under ``host_shim.h``. This is the only file that knows either.
"""
from __future__ import annotations

import atexit
import ctypes
import functools
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ... import glog
from ...errors import BackendError

FOLDER = Path(__file__).resolve().parent
SOURCES = ("channels.cu", "conv.cu", "dropout.cu", "elementwise.cu", "embed.cu", "lrn.cu",
           "pool.cu", "recurrent.cu", "softmax_loss.cu", "update.cu")
NVRTC_OPTIONS = ("--std=c++17",)
HOST_OPTIONS = ("-std=c++17", "-O2", "-shared", "-fPIC")
#: Threads of a block where each thread takes items of its own.
THREADS = 256
#: The loops of the kernels are right for any grid; beyond this many blocks they take turns.
MAX_BLOCKS = 65535

_KERNEL = re.compile(r"^template <typename T>\s*__global__ void (\w+)\(([^)]*)\)", re.MULTILINE)
_C_NAMES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_NUMPY_TYPES = {"int": np.int32, "unsigned int": np.uint32, "long long": np.int64,
                "unsigned long long": np.uint64, "float": np.float32, "double": np.float64}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kernel: its name, its C type without ``const`` and ``*``."""

    name: str
    c_type: str
    pointer: bool
    const: bool

    def dtype(self, dtype: np.dtype) -> np.dtype:
        """Return the NumPy type that the parameter has when ``T`` is ``dtype``."""
        return dtype if self.c_type == "T" else np.dtype(_NUMPY_TYPES[self.c_type])

    def declaration(self, c_name: str) -> str:
        """Return the parameter in C, ``T`` being ``c_name``."""
        base = c_name if self.c_type == "T" else self.c_type
        return f"{'const ' if self.const else ''}{base} {'*' if self.pointer else ''}{self.name}"


@functools.cache
def source_text(source: str) -> str:
    """Return a ``.cu`` file with ``common.cuh`` put in, so that compilers need no include path."""
    common = (FOLDER / "common.cuh").read_text(encoding="utf-8")
    text = (FOLDER / source).read_text(encoding="utf-8")
    return text.replace('#include "common.cuh"\n', common)


@functools.cache
def signatures(source: str) -> dict[str, tuple[Parameter, ...]]:
    """Return the parameters of every kernel of a ``.cu`` file, in the file's order."""
    return {name: tuple(_parameter(text) for text in parameters.split(","))
            for name, parameters in _KERNEL.findall(source_text(source))}


def _parameter(text: str) -> Parameter:
    words = text.replace("*", " * ").split()
    base = " ".join(word for word in words[:-1] if word not in ("const", "*"))
    return Parameter(words[-1], base, pointer="*" in words, const="const" in words)


def array_module(array: Any) -> Any:
    """Return NumPy for a NumPy array, CuPy for any other."""
    if isinstance(array, np.ndarray):
        return np
    import cupy
    return cupy


def name_expressions(source: str, dtype: np.dtype) -> list[str]:
    """Return the kernels of a file with ``T`` filled in, as NVRTC wants them: ``sgd<float>``."""
    return [f"{kernel}<{_C_NAMES[dtype]}>" for kernel in signatures(source)]


def launch(source: str, kernel: str, count: int, args: tuple, dtype: np.dtype,
           block: int | None = None) -> None:
    """Run a kernel over ``count`` items; on a GPU, in the context of ``Backend.device``.

    Args:
        source: file name, e.g. ``conv.cu``.
        kernel: its name in that file.
        count: items; becomes the kernel's first argument. Zero launches nothing.
        args: the other arguments: arrays for pointers, numbers for the rest.
        dtype: what ``T`` is.
        block: None: a thread takes an item at a time; a number: a block of that many threads
            (a power of two, at most 256) does.

    Raises:
        BackendError: arguments that do not fit the kernel, or a kernel that cannot be compiled.
    """
    parameters = signatures(source)[kernel]
    if len(args) != len(parameters) - 1:
        raise BackendError(f"kernel {kernel} was called with a wrong number of arguments",
                           got=len(args), wanted=len(parameters) - 1)
    arrays = [arg for arg, parameter in zip(args, parameters[1:], strict=True)
              if parameter.pointer]
    for arg, parameter in zip(args, parameters[1:], strict=True):
        _check(kernel, arg, parameter, dtype)
    on_host = {isinstance(array, np.ndarray) for array in arrays}
    if len(on_host) != 1:
        raise BackendError(f"kernel {kernel} was called with arrays of different devices")
    if count == 0:
        return
    if on_host.pop():
        _launch_on_host(source, kernel, count, args, dtype)
    else:
        _launch_on_device(source, kernel, count, args, dtype, block, arrays[0].device)


def _check(kernel: str, arg: Any, parameter: Parameter, dtype: np.dtype) -> None:
    """Refuse an argument that the kernel would misread: an exception beats a crash."""
    where = f"argument '{parameter.name}' of kernel {kernel}"
    if not parameter.pointer:
        if not isinstance(arg, (int, float, np.generic)):
            raise BackendError(f"{where} is not a number", got=type(arg).__name__)
        return
    if not hasattr(arg, "dtype") or not hasattr(arg, "flags"):
        raise BackendError(f"{where} is not an array", got=type(arg).__name__)
    wanted = parameter.dtype(dtype)
    if arg.dtype != wanted:
        raise BackendError(f"{where} has the wrong type", got=arg.dtype, wanted=wanted)
    if not arg.flags.c_contiguous:
        raise BackendError(f"{where} is not contiguous", got=f"strides {arg.strides}")
    if isinstance(arg, np.ndarray) and not parameter.const and not arg.flags.writeable:
        raise BackendError(f"{where} is read-only")


# GPU --------------------------------------------------------------------------------------------

def _launch_on_device(source: str, kernel: str, count: int, args: tuple, dtype: np.dtype,
                      block: int | None, device: Any) -> None:
    parameters = signatures(source)[kernel]
    # A kernel reads its arguments as raw bytes, so each number must have exactly the C type.
    values = tuple(arg if parameter.pointer else parameter.dtype(dtype).type(arg)
                   for arg, parameter in zip((count, *args), parameters, strict=True))
    blocks = count if block is not None else -(-count // THREADS)
    function = _device_kernel(source, kernel, dtype, device.id)
    function((min(blocks, MAX_BLOCKS),), (block or THREADS,), values)


@functools.cache
def _device_kernel(source: str, kernel: str, dtype: np.dtype, device: int) -> Any:
    return _device_module(source, dtype, device).get_function(f"{kernel}<{_C_NAMES[dtype]}>")


@functools.cache
def _device_module(source: str, dtype: np.dtype, device: int) -> Any:
    import cupy
    return cupy.RawModule(code=source_text(source), options=NVRTC_OPTIONS,
                          name_expressions=name_expressions(source, dtype))


# Host -------------------------------------------------------------------------------------------

def _launch_on_host(source: str, kernel: str, count: int, args: tuple, dtype: np.dtype) -> None:
    function = _host_kernel(source, kernel, dtype)
    # One block of one thread visits all items; `args` keeps the arrays alive during the call.
    function(1, count, *(arg.ctypes.data if parameter.pointer else
                         parameter.dtype(dtype).type(arg).item()
                         for arg, parameter in zip(args, signatures(source)[kernel][1:],
                                                   strict=True)))


@functools.cache
def _host_kernel(source: str, kernel: str, dtype: np.dtype) -> Any:
    function = getattr(host_library(host_text(source)), f"{kernel}_{_C_NAMES[dtype]}")
    function.restype = None
    function.argtypes = [ctypes.c_uint] + [
        ctypes.c_void_p if parameter.pointer else
        np.ctypeslib.as_ctypes_type(parameter.dtype(dtype))
        for parameter in signatures(source)[kernel]]
    return function


def host_text(source: str, shim: Path = FOLDER / "host_shim.h") -> str:
    """Return C++ for a ``.cu`` file: shim, kernels, and ``extern "C"`` wrappers.

    The wrapper ``sgd_float(blocks, ...)`` runs ``sgd<float>(...)`` over a grid of ``blocks``.
    """
    wrappers = []
    for kernel, parameters in signatures(source).items():
        names = ", ".join(parameter.name for parameter in parameters)
        for c_name in _C_NAMES.values():
            declared = ", ".join(parameter.declaration(c_name) for parameter in parameters)
            wrappers.append(f'extern "C" void {kernel}_{c_name}(unsigned int blocks_, {declared}) '
                            f"{{\n  RUN_GRID(blocks_, ({kernel}<{c_name}>({names})));\n}}\n")
    return "\n".join([shim.read_text(encoding="utf-8"), source_text(source), *wrappers])


def host_library(text: str, options: tuple[str, ...] = HOST_OPTIONS) -> ctypes.CDLL:
    """Return C++ source as a loaded library, from the cache if it was compiled before.

    Raises:
        BackendError: there is no C++ compiler, or it refuses the source.
    """
    compiler = next((path for path in map(shutil.which, ("g++", "c++", "clang++")) if path), None)
    if compiler is None:
        raise BackendError("running CUDA kernels on the host needs a C++ compiler",
                           wanted="g++, c++ or clang++ on PATH")
    key = hashlib.sha256("\0".join((compiler, *options, text)).encode()).hexdigest()[:32]
    library = _cache_folder() / f"{key}.so"
    if not _is_ours(library):
        _compile_on_host(compiler, options, text, library)
    return ctypes.CDLL(str(library))


def _compile_on_host(compiler: str, options: tuple[str, ...], text: str, library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        unit, built = Path(folder, "kernels.cpp"), Path(folder, "kernels.so")
        unit.write_text(text, encoding="utf-8")
        run = subprocess.run([compiler, *options, str(unit), "-o", str(built)],
                             capture_output=True, text=True, check=False)
        if run.returncode:
            raise BackendError("the host compiler refused a CUDA kernel", got=run.stderr.strip())
        built.chmod(0o700)
        os.replace(built, library)  # atomic: other processes may be compiling the same kernels


@functools.cache
def _cache_folder() -> Path:
    """Return a folder for libraries in which nobody else can put one."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folders = (base / "caffe_lrcn", base / "caffe_lrcn" / "host_kernels")
    try:
        base.mkdir(parents=True, exist_ok=True)
        for folder in folders:
            folder.mkdir(mode=0o700, exist_ok=True)
        tempfile.TemporaryFile(dir=folders[-1]).close()
        if all(map(_is_ours, folders)) and _keeps_names(base):
            return folders[-1]
        glog.warning(f"Others can write in the cache {folders[-1]}: compiling kernels anew. "
                     f"'chmod -R go-w {folders[0]}' makes it safe.")
    except OSError:
        pass
    private = tempfile.mkdtemp(prefix="caffe_lrcn_")
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    return Path(private)


def _is_ours(path: Path) -> bool:
    """Tell whether a file or folder is there, belongs to us, and lets nobody else write."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (not stat.S_ISLNK(found.st_mode) and found.st_uid == os.geteuid()
            and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _keeps_names(folder: Path) -> bool:
    """Tell whether others cannot put something else in the place of what we have in a folder."""
    found = folder.stat()
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    return found.st_uid in (0, os.geteuid()) and not shared
