"""What a test needs that compiles the CUDA kernels for the host."""
from __future__ import annotations

import shutil

import pytest

HAS_COMPILER = any(map(shutil.which, ("g++", "c++", "clang++")))
WITHOUT_ONE = "no C++ compiler to build the kernels for the host"
needs_compiler = pytest.mark.skipif(not HAS_COMPILER, reason=WITHOUT_ONE)
