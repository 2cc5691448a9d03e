"""The names of ``import caffe_lrcn as caffe``: functions, classes, phases, submodules."""
from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest

import caffe_lrcn as caffe
from caffe_lrcn.errors import BackendError, UsageError
from tests.pycaffe.nets import MLP, write, write_solver

FUNCTIONS = """set_mode_cpu set_mode_gpu set_device set_random_seed init_log log has_nccl
    layer_type_list solver_count set_solver_count solver_rank set_solver_rank set_multiprocess
    get_solver to_proto""".split()
CLASSES = """Net SGDSolver NesterovSolver AdaGradSolver RMSPropSolver AdaDeltaSolver AdamSolver
    NCCL Timer Layer Classifier Detector NetSpec""".split()
MODULES = "proto io classifier detector draw net_spec pycaffe _caffe coord_map".split()


def test_every_public_name_is_there():
    assert all(callable(getattr(caffe, name)) for name in FUNCTIONS)
    assert all(isinstance(getattr(caffe, name), type) for name in CLASSES)
    assert (caffe.TRAIN, caffe.TEST) == (0, 1)
    assert caffe.layers.ReLU and caffe.params.Pooling.MAX == 0
    assert set(FUNCTIONS + CLASSES) <= set(dir(caffe)) and isinstance(caffe.__version__, str)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        caffe.nonsense  # noqa: B018


def test_submodules_are_reached_by_attribute_and_by_import():
    code = ("import sys, caffe_lrcn as caffe; assert 'numpy' not in sys.modules; "
            f"[getattr(caffe, name) for name in {MODULES}]; "
            "assert caffe.proto.caffe_pb2.TEST == 1; import caffe_lrcn.io; "
            "from caffe_lrcn import layers as L, params as P; "
            "from caffe_lrcn.pycaffe import Net; from caffe_lrcn._caffe import Layer, Blob; "
            "from caffe_lrcn.proto import caffe_pb2")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_mode_and_device_belong_to_the_thread(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("caffe_lrcn.pycaffe.modes.get_backend",
                        lambda device, **words: opened.append(device))
    from caffe_lrcn.pycaffe.modes import current_backend

    def elsewhere():
        caffe.set_device(3)
        caffe.set_mode_gpu()
        current_backend()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    current_backend()
    assert opened == ["gpu:3", "cpu"]


def test_a_seed_makes_nets_reproducible(tmp_path):
    path = write(tmp_path, MLP)
    caffe.set_random_seed(3)
    try:
        first, second = (caffe.Net(path, caffe.TEST).params["fc"][0].data for _ in range(2))
        caffe.set_random_seed(4)
        third = caffe.Net(path, caffe.TEST).params["fc"][0].data
    finally:
        caffe.pycaffe.modes._modes.seed = None
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)


def test_ranks_and_counts_are_kept():
    assert (caffe.solver_count(), caffe.solver_rank(), caffe.has_nccl()) == (1, 0, False)
    caffe.set_solver_count(2)
    caffe.set_solver_rank(1)
    caffe.set_multiprocess(True)
    try:
        assert (caffe.solver_count(), caffe.solver_rank()) == (2, 1)
    finally:
        caffe.set_solver_count(1)
        caffe.set_solver_rank(0)
        caffe.set_multiprocess(False)


def test_layer_types_are_listed():
    types = caffe.layer_type_list()
    assert {"Convolution", "LSTM", "Python"} <= set(types) and types == sorted(types)


def test_log_lines_go_to_stderr_once_the_log_is_started(capsys):
    caffe.init_log()
    caffe.log("a line of 100%")
    assert capsys.readouterr().err.endswith("] a line of 100%\n")
    caffe.init_log(1)
    caffe.log("quiet")
    caffe.init_log(0, False)
    caffe.pycaffe.log("quiet too")
    assert capsys.readouterr().err == ""
    with pytest.raises(UsageError, match="unknown log level"):
        caffe.init_log(9)


def test_nccl_says_that_it_is_missing(tmp_path):
    with pytest.raises(BackendError, match="several GPUs"):
        caffe.NCCL(caffe.SGDSolver(write_solver(tmp_path)), "uid")
    with pytest.raises(RuntimeError, match="several GPUs"):
        caffe.NCCL.new_uid()


def test_timer_measures_between_start_and_stop(monkeypatch):
    clock = iter([10.0, 12.5, 20.0, 21.0])
    monkeypatch.setattr("caffe_lrcn.pycaffe.modes.time.perf_counter", lambda: next(clock))
    timer = caffe.Timer()
    assert timer.ms == 0
    timer.start()
    timer.stop()
    timer.stop()
    assert timer.ms == 2500
    timer.start()
    assert timer.ms == 1000
