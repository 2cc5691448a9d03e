"""What does not fit in the memory is one line of error, told before it is taken."""
from __future__ import annotations

import re
import resource
import subprocess
import sys

import pytest

from caffe_lrcn import memory
from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import BackendError, DataError
from caffe_lrcn.memory import LARGE, amount, check_room, free_memory

NETS = {
    "activations": """
layer { name: "data" type: "Input" top: "x"
        input_param { shape { dim: 1000 dim: 1000 dim: 1000 } } }
layer { name: "large" type: "Sigmoid" bottom: "x" top: "y" }""",
    "weights": """
layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 2 dim: 1000 } } }
layer { name: "large" type: "InnerProduct" bottom: "x" top: "y"
        inner_product_param { num_output: 1000000 weight_filler { type: "xavier" } } }""",
    "temporaries": """
layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 2 dim: 100 } } }
layer { name: "large" type: "InnerProduct" bottom: "x" top: "y"
        inner_product_param { num_output: 2500000 weight_filler { type: "xavier" } } }""",
}


@pytest.mark.parametrize("kind", NETS)
def test_a_net_that_does_not_fit(tmp_path, kind):
    (tmp_path / "net.prototxt").write_text(NETS[kind])
    done = subprocess.run(
        [sys.executable, "-m", "caffe_lrcn", "time", "--cpu", "--iterations", "1", "--model",
         str(tmp_path / "net.prototxt")], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)))
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert last.startswith("error: ") and "Use a smaller batch" in last
    assert re.search(r"\d Gi?B", last)
    assert "layer 'large'" in last or kind == "activations" and "layer 'data'" in last


def test_what_fits_is_given():
    assert get_backend("cpu").zeros(LARGE).size == LARGE


def test_room_is_compared_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 2 * LARGE)
    check_room(2 * LARGE, DataError, "this")
    with pytest.raises(DataError, match=r"f: this does not fit in the memory \(got 134.2 MB, "
                                        r"wanted at most 134.2 MB, which are free\). Do it."):
        check_room(2 * LARGE + 1, DataError, "this", where="f", remedy="Do it")
    with pytest.raises(BackendError, match="an array of 67,108,864 elements does not fit"):
        get_backend("cpu").zeros(LARGE)
    monkeypatch.setattr(memory, "free_memory", lambda: None)  # nobody knows: the system decides
    check_room(1 << 60, DataError, "this")


def test_free_memory_is_the_least_of_the_limits(monkeypatch):
    free = free_memory()
    assert free is None or 0 < free < 1 << 50
    for name, size in (("_of_machine", 5), ("_of_group", 3), ("_of_process", None)):
        monkeypatch.setattr(memory, name, lambda size=size: size)
    assert free_memory() == 3


def test_amounts():
    assert [amount(size) for size in (1, 12_345_678, 3_700_000_000)] == [
        "0.0 MB", "12.3 MB", "3.7 GB"]
