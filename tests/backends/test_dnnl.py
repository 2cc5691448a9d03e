"""The oneDNN path against the plain one, and what happens where the library cannot load."""
from __future__ import annotations

import importlib.metadata
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cpu import blas, conv, dnnl
from caffe_lrcn.backends.cpu.conv_plain import PlainConv
from caffe_lrcn.backends.cpu.dnnl import loader
from caffe_lrcn.backends.cpu.dnnl.conv import DnnlConv
from caffe_lrcn.backends.cpu.dnnl.gemm import sgemm
from caffe_lrcn.backends.specs import ConvSpec
from caffe_lrcn.errors import BackendError
from tests.harness.memory import peak_memory

needs_library = pytest.mark.skipif(dnnl.library() is None, reason="oneDNN cannot be loaded here")
ROOT = Path(__file__).parents[2]
SPEC = ConvSpec(6, (3, 3), (1, 1), (1, 1), (1, 1), group=2)
SHAPE = (2, 4, 9, 8)
pair = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def geometries(draw):
    group = draw(st.integers(1, 3))
    spec = ConvSpec(group * draw(st.integers(1, 9)), draw(pair), draw(pair),
                    draw(st.tuples(st.integers(0, 2), st.integers(0, 2))), draw(pair), group)
    shape = (draw(st.integers(1, 3)), group * draw(st.integers(1, 9)),
             draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    assume(min(spec.output_size(shape[2:])) > 0)
    return spec, shape


def arrays(spec, shape, dtype=np.float32):
    rng = np.random.default_rng(11)
    shapes = (shape, (spec.num_output, shape[1] // spec.group, *spec.kernel), (spec.num_output,),
              (shape[0], spec.num_output, *spec.output_size(shape[2:])))
    return [rng.standard_normal(size).astype(dtype) for size in shapes]


def run(plan, spec, shape, dtype=np.float32):
    """Return y, dx, dw and db; the last two accumulate on ones."""
    x, w, b, dy = arrays(spec, shape, dtype)
    results = [np.full_like(dy, np.nan), np.full_like(x, np.nan), np.ones_like(w), np.ones_like(b)]
    plan.forward(x, w, b, results[0])
    plan.backward_data(dy, w, results[1])
    plan.backward_weights(x, dy, results[2])
    plan.backward_bias(dy, results[3])
    return results


@needs_library
@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(geometries())
def test_convolution_agrees_with_the_plain_one(geometry):
    spec, shape = geometry
    fast = conv.plan(spec, shape, get_backend("cpu", np.float32))
    assert isinstance(fast, DnnlConv)
    plain = PlainConv(spec, shape, get_backend("cpu", np.float64))
    for got, want in zip(run(fast, spec, shape), run(plain, spec, shape, np.float64), strict=True):
        scale = max(1.0, np.abs(want).max())
        np.testing.assert_allclose(got / scale, want / scale, rtol=1e-4, atol=1e-5)


@needs_library
def test_agreement_catches_another_dilation(backend):
    spec, shape = ConvSpec(2, (3, 3), (1, 1), (2, 2), (2, 2)), (1, 2, 8, 8)
    other = ConvSpec(2, (3, 3), (1, 1), (1, 1), (1, 1))
    good, bad = (run(conv.plan(s, shape, backend), s, shape) for s in (spec, other))
    for got, want in zip(bad[:3], good[:3], strict=True):
        assert np.abs(got - want).max() > 0.1


@needs_library
def test_forward_without_bias(backend):
    x, w, b, y = arrays(SPEC, SHAPE)
    plan, with_bias = conv.plan(SPEC, SHAPE, backend), np.empty_like(y)
    plan.forward(x, w, b, with_bias)
    plan.forward(x, w, None, y)
    np.testing.assert_allclose(y, with_bias - b[:, None, None], atol=1e-5)


@needs_library
def test_changed_weights_are_seen(backend):
    x, w, b, y = arrays(SPEC, SHAPE)
    plan, doubled = conv.plan(SPEC, SHAPE, backend), np.empty_like(y)
    plan.forward(x, w, None, y)
    w *= 2
    plan.forward(x, w, None, doubled)
    np.testing.assert_allclose(doubled, 2 * y, rtol=1e-5)


@needs_library
def test_same_inputs_give_the_same_bits(backend):
    first, second = (run(conv.plan(SPEC, SHAPE, backend), SPEC, SHAPE) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@needs_library
def test_bf16_stays_near_float32(backend):
    quick = run(conv.plan(SPEC, SHAPE, get_backend("cpu", math="bf16")), SPEC, SHAPE)
    exact = run(conv.plan(SPEC, SHAPE, backend), SPEC, SHAPE)
    for got, want in zip(quick, exact, strict=True):
        np.testing.assert_allclose(got, want, rtol=0.05, atol=0.2)


@needs_library
def test_a_steady_step_allocates_nothing(backend):
    spec, shape = ConvSpec(32, (3, 3), (1, 1), (1, 1), (1, 1)), (4, 32, 24, 24)
    x, w, b, y = arrays(spec, shape)
    plan, dx, dw, db = conv.plan(spec, shape, backend), np.empty_like(x), w.copy(), b.copy()

    def step():
        plan.forward(x, w, b, y)
        plan.backward_data(y, w, dx)
        plan.backward_weights(x, y, dw)
        plan.backward_bias(y, db)

    step()
    assert peak_memory(step) < 64 * 1024  # the arrays take 290 KiB each; NumPy's buffers remain


@needs_library
def test_wrong_arrays_are_refused(backend):
    x, w, b, y = arrays(SPEC, SHAPE)
    plan = conv.plan(SPEC, SHAPE, backend)
    with pytest.raises(BackendError, match="float64"):
        plan.forward(x.astype(np.float64), w, b, y)
    with pytest.raises(BackendError, match="strides"):
        plan.forward(x[:, :, ::-1], w, b, y)


def test_other_types_and_dimensions_are_plain(backend):
    assert isinstance(conv.plan(SPEC, SHAPE, get_backend("cpu", np.float64)), PlainConv)
    line = ConvSpec(2, (3,), (1,), (0,), (1,))
    assert isinstance(conv.plan(line, (1, 2, 5), backend), PlainConv)
    assert isinstance(conv.plan(SPEC, (0, *SHAPE[1:]), backend), PlainConv)


def test_an_unsupported_geometry_falls_back(backend, monkeypatch, caplog):
    def refuse(*_):
        raise dnnl.DnnlError("dnnl_convolution_forward_primitive_desc_create", 3)

    monkeypatch.setattr(conv, "library", lambda: object())
    monkeypatch.setattr(conv, "DnnlConv", refuse)
    with caplog.at_level(logging.WARNING, "caffe_lrcn"):
        assert isinstance(conv.plan(SPEC, SHAPE, backend), PlainConv)
    assert "status 3" in caplog.text


@needs_library
@pytest.mark.parametrize("trans_a", [False, True])
@pytest.mark.parametrize("trans_b", [False, True])
@pytest.mark.parametrize("rows, inner, columns", [(1, 7, 5), (7, 1, 5), (7, 5, 1), (70, 65, 80)])
def test_sgemm_in_every_orientation(trans_a, trans_b, rows, inner, columns):
    rng = np.random.default_rng(12)
    a = rng.standard_normal((inner, rows) if trans_a else (rows, inner)).astype(np.float32)
    b = rng.standard_normal((columns, inner) if trans_b else (inner, columns)).astype(np.float32)
    a, b = (a.T if trans_a else a), (b.T if trans_b else b)
    out = np.ones((rows, columns + 3), np.float32)[:, :columns]  # a leading dimension of its own
    assert sgemm(dnnl.library(), a, b, out, accumulate=True)
    np.testing.assert_allclose(out, 1 + a @ b, rtol=1e-4, atol=1e-4)
    assert (out.base[:, columns:] == 1).all()


@needs_library
def test_sgemm_declines_strides_that_it_cannot_express():
    a = np.ones((4, 6, 2), np.float32)[:, :, 0]
    out = np.zeros((4, 5), np.float32)
    assert not sgemm(dnnl.library(), a, np.ones((6, 5), np.float32), out, accumulate=False)
    assert (out == 0).all()
    rows = np.ones((8, 6), np.float32)[::-1]
    assert not sgemm(dnnl.library(), rows, np.ones((6, 5), np.float32),
                     np.zeros((8, 5), np.float32), accumulate=False)


def test_gemm_without_the_library(backend, monkeypatch):
    monkeypatch.setattr(blas, "library", lambda: None)
    a, out = np.full((80, 80), 2, np.float32), np.ones((80, 80), np.float32)
    blas.gemm(a, a, out, backend.scratch, accumulate=True)
    assert (out == 1 + 80 * 4).all()


def load_again(caplog):
    """Load the library past the cache; return it with what was logged."""
    with caplog.at_level(logging.WARNING, "caffe_lrcn"):
        return loader.library.__wrapped__(), [record.getMessage() for record in caplog.records]


def test_the_switch_turns_it_off(monkeypatch, caplog):
    monkeypatch.setenv("CAFFE_LRCN_DNNL", "0")
    lib, messages = load_again(caplog)
    assert lib is None and len(messages) == 1 and "CAFFE_LRCN_DNNL=0" in messages[0]


@pytest.mark.parametrize("error", [importlib.metadata.PackageNotFoundError("onednn-cpu-gomp"),
                                   FileNotFoundError("no libdnnl.so"),
                                   OSError("libgomp.so.1: cannot open shared object file")])
def test_a_missing_library_is_one_warning(monkeypatch, caplog, error):
    def find():
        raise error

    monkeypatch.delenv("CAFFE_LRCN_DNNL", raising=False)
    monkeypatch.setattr(loader, "find", find)
    lib, messages = load_again(caplog)
    assert lib is None and len(messages) == 1 and str(error) in messages[0]


@needs_library
def test_one_of_the_library_s_copies_is_loaded():
    code = ("import numpy as np\n"
            "from caffe_lrcn.backends import get_backend\n"
            "from caffe_lrcn.backends.cpu.threads import set_threads\n"
            "set_threads(2)\n"
            "backend, a = get_backend(), np.ones((99, 99), np.float32)\n"
            "backend.blas.gemm(a, a, np.empty_like(a), backend.scratch)\n"
            "print({line.split()[-1] for line in open('/proc/self/maps') if 'dnnl' in line})")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == str({str(loader.find())})


def test_copies_that_were_deleted_are_passed_over(tmp_path, monkeypatch):
    (tmp_path / "libdnnl.so.3.2").write_bytes(b"")
    copies = [tmp_path / f"libdnnl.so{end}" for end in ("", ".3", ".3.2")]
    installed = [SimpleNamespace(locate=lambda copy=copy: copy) for copy in copies]
    monkeypatch.setattr(importlib.metadata, "files", lambda name: installed)
    assert loader.find() == copies[2]
    copies[2].unlink()
    with pytest.raises(FileNotFoundError, match=r"no libdnnl\.so"):
        loader.find()


def test_idle_threads_do_not_spin_unless_the_user_says_so():
    code = ("import os; from caffe_lrcn.backends.cpu.dnnl import library; library();"
            "print(os.environ.get('OMP_WAIT_POLICY'), os.environ.get('GOMP_SPINCOUNT'))")
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "CAFFE_LRCN_DNNL")}
    outputs = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment | more,
                              capture_output=True, text=True, check=True).stdout.split()
               for more in ({}, {"OMP_WAIT_POLICY": "ACTIVE"})]
    if dnnl.library() is not None:
        assert outputs[0] == ["PASSIVE", "0"]
        assert outputs[1] == ["ACTIVE", "None"]


@needs_library
def test_threads_are_set_for_both_libraries():
    code = ("from caffe_lrcn.backends.cpu import threads; threads.set_threads(1);"
            "from caffe_lrcn.backends.cpu.dnnl import library;"
            "print(library().threads())")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"OMP_NUM_THREADS": "2"}, check=True)
    assert done.stdout.strip() == "1"
