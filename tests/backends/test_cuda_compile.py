"""Parsing, checking and compiling of kernel files."""
from __future__ import annotations

import os
import re
import shutil

import numpy as np
import pytest

from caffe_lrcn.backends.cuda import compile as cuda_compile
from caffe_lrcn.errors import BackendError
from tests.harness.compiler import needs_compiler

FLOAT = np.dtype(np.float32)


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cuda_compile._cache_folder.cache_clear()
    yield tmp_path
    cuda_compile._cache_folder.cache_clear()


def test_every_kernel_file_is_listed():
    files = {path.name for path in cuda_compile.FOLDER.glob("*.cu")}
    assert files == set(cuda_compile.SOURCES)


@pytest.mark.parametrize("source", cuda_compile.SOURCES)
def test_every_kernel_is_found_and_takes_a_count(source):
    text = (cuda_compile.FOLDER / source).read_text()
    signatures = cuda_compile.signatures(source)
    assert len(signatures) == text.count("__global__") > 0
    for parameters in signatures.values():
        assert parameters[0].c_type == "unsigned int" and not parameters[0].pointer
        for parameter in parameters:
            assert parameter.c_type == "T" or parameter.c_type in cuda_compile._NUMPY_TYPES


@pytest.mark.parametrize("source", cuda_compile.SOURCES)
def test_every_kernel_is_launched_by_a_launcher(source):
    python = "".join(path.read_text() for path in cuda_compile.FOLDER.glob("*.py"))
    python = re.sub(r"\{self\._region\}", "across within", python)
    for kernel in cuda_compile.signatures(source):
        stem = re.sub(r"_(across|within)$", "_", kernel)
        assert f'"{stem}' in python


def test_a_signature_is_read():
    kernel = cuda_compile.signatures("embed.cu")["embed_backward"]
    assert [parameter.declaration("double") for parameter in kernel] == [
        "unsigned int n", "const double *index", "const int *following", "const double *dy",
        "int D", "double *d_weight"]
    assert kernel[1].dtype(FLOAT) == FLOAT and kernel[2].dtype(FLOAT) == np.int32


@pytest.mark.parametrize("args, message", [
    ((np.ones(3, FLOAT),), "wrong number of arguments"),
    ((np.ones(3, FLOAT), np.ones(3)), "'y'.*wrong type"),
    ((np.ones(6, FLOAT)[::2], np.ones(3, FLOAT)), "'x'.*not contiguous"),
    ((3.0, np.ones(3, FLOAT)), "'x'.*not an array"),
])
def test_arguments_that_do_not_fit(args, message):
    with pytest.raises(BackendError, match=message):
        cuda_compile.launch("elementwise.cu", "tanh_forward", 3, args, FLOAT)


def test_an_array_for_a_number():
    x = np.ones(3, FLOAT)
    with pytest.raises(BackendError, match="'negative_slope'.*not a number"):
        cuda_compile.launch("elementwise.cu", "relu_forward", 3, (x, x, x), FLOAT)


def test_no_compiler(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BackendError, match=r"needs a C\+\+ compiler.*g\+\+"):
        cuda_compile.host_library("int one() { return 1; }")


@needs_compiler
def test_a_library_is_compiled_once(fresh_cache, monkeypatch):
    text = 'extern "C" int one() { return 1; }'
    assert cuda_compile.host_library(text).one() == 1
    libraries = list(fresh_cache.rglob("*"))
    assert [path.suffix for path in libraries if path.is_file()] == [".so"]
    monkeypatch.setattr(cuda_compile, "_compile_on_host", None)
    assert cuda_compile.host_library(text).one() == 1


@needs_compiler
def test_source_that_does_not_compile(fresh_cache):
    with pytest.raises(BackendError, match="refused a CUDA kernel.*error"):
        cuda_compile.host_library("int one( { return 1; }")
    assert not [path for path in fresh_cache.rglob("*") if path.is_file()]


@needs_compiler
@pytest.mark.parametrize("unsafe", ["folder", "parent", "base", "owner", "link"])
def test_a_cache_that_others_can_write_is_not_used(fresh_cache, monkeypatch, caplog, unsafe):
    text, folder = 'extern "C" int one() { return 1; }', fresh_cache / "caffe_lrcn/host_kernels"
    cuda_compile.host_library(text)
    planted = next(folder.iterdir())
    planted.write_bytes(b"no library: to load it would fail")
    if unsafe == "link":
        folder.rename(fresh_cache / "elsewhere")
        folder.symlink_to(fresh_cache / "elsewhere")
    elif unsafe == "owner":
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    else:
        {"folder": folder, "parent": folder.parent, "base": fresh_cache}[unsafe].chmod(0o777)
    cuda_compile._cache_folder.cache_clear()
    assert cuda_compile.host_library(text).one() == 1
    private = cuda_compile._cache_folder()
    assert fresh_cache not in private.parents and private.stat().st_mode & 0o777 == 0o700
    assert "Others can write in the cache" in caplog.text
    shutil.rmtree(private)


@needs_compiler
def test_a_library_that_others_can_write_is_compiled_again(fresh_cache):
    text = 'extern "C" int one() { return 1; }'
    cuda_compile.host_library(text)
    planted = next(path for path in fresh_cache.rglob("*.so"))
    planted.unlink()  # the one that is loaded stays whole
    planted.write_bytes(b"no library")
    planted.chmod(0o777)
    assert cuda_compile.host_library(text).one() == 1
    assert planted.stat().st_mode & 0o777 == 0o700


def test_an_unwritable_cache(fresh_cache, monkeypatch):
    (fresh_cache / "caffe_lrcn").write_text("a file where the folder should be")
    folder = cuda_compile._cache_folder()
    assert folder.is_dir() and fresh_cache not in folder.parents
    folder.rmdir()


@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_90"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("source", cuda_compile.SOURCES)
def test_kernels_compile_for_gpus(source, dtype, architecture):
    """NVRTC needs no GPU: machine code with the options and names that a launch uses."""
    nvrtc = pytest.importorskip("cupy_backends.cuda.libs.nvrtc", exc_type=ImportError)
    try:
        nvrtc.getVersion()
    except Exception as error:
        pytest.skip(f"NVRTC is not installed: {error}")
    names = cuda_compile.name_expressions(source, np.dtype(dtype))
    program = nvrtc.createProgram(cuda_compile.source_text(source), source, [], [])
    try:
        for name in names:
            nvrtc.addNameExpression(program, name)
        nvrtc.compileProgram(program, (*cuda_compile.NVRTC_OPTIONS,
                                       f"--gpu-architecture={architecture}"))
        assert nvrtc.getProgramLog(program).strip("\0\n ") == ""
        assert len({nvrtc.getLoweredName(program, name) for name in names}) == len(names)
        assert len(nvrtc.getCUBIN(program)) > 1000
    finally:
        nvrtc.destroyProgram(program)


def test_kernel_files_need_no_include_path():
    for source in cuda_compile.SOURCES:
        assert "#include" not in cuda_compile.source_text(source)
