"""Runs the CUDA kernels on the host, by one thread and by blocks of several."""
from __future__ import annotations

import functools
from pathlib import Path

import pytest

from caffe_lrcn.backends.cuda import compile as cuda_compile
from tests.harness.compiler import HAS_COMPILER, WITHOUT_ONE

_BLOCKS, _THREADS = 3, 4
_one_thread = cuda_compile._host_kernel  # before any test replaces it
_OPTIONS = ("-std=c++17", "-O1", "-shared", "-fPIC", "-pthread")


@functools.cache
def threaded_kernel(source: str, kernel: str, dtype):
    """Stand in for ``_host_kernel``: real threads, on a grid that fits no test's sizes."""
    single = _one_thread(source, kernel, dtype)
    text = cuda_compile.host_text(source, Path(__file__).with_name("threaded_shim.h"))
    library = cuda_compile.host_library(text, _OPTIONS)
    function = getattr(library, single.__name__)
    function.restype, function.argtypes = None, single.argtypes
    library.set_block(_THREADS)
    return lambda blocks, *args: function(_BLOCKS, *args)


@pytest.fixture(params=["one thread", "blocks of threads"])
def cuda_grid(request, monkeypatch):
    """Run each test with one thread for everything, and with blocks whose threads race."""
    if not HAS_COMPILER:
        pytest.skip(WITHOUT_ONE)
    if request.param != "one thread":
        monkeypatch.setattr(cuda_compile, "_host_kernel", threaded_kernel)
