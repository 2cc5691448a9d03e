"""`time` and `device_query`: what they print, without a clock and without a GPU."""
from __future__ import annotations

import re
import time
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from caffe_lrcn.backends.cuda import device
from caffe_lrcn.cli.main import main
from caffe_lrcn.sources.batcher import Batcher

_NET = '''name: "n"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "train_only" type: "TanH" bottom: "ip" top: "t" include { phase: TRAIN } }
layer { name: "best" type: "ArgMax" bottom: "ip" top: "best" }
layer { name: "over" type: "Threshold" bottom: "ip" top: "over" }
layer { name: "loss" type: "EuclideanLoss" bottom: "x" bottom: "x" top: "loss" }
'''


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "n.prototxt"
    path.write_text(_NET)
    return str(path)


def _messages(capsys) -> list[str]:
    return [line.split("] ", 1)[1] for line in capsys.readouterr().err.splitlines()
            if "] " in line]


def test_prints_each_layer_and_the_totals(model, capsys):
    assert main(["time", "--model", model, "--iterations", "2", "--cpu", "--verbose"]) == 0
    messages = _messages(capsys)
    begin = messages.index("*** Benchmark begins ***")
    assert any(re.fullmatch(r"Initial loss: \S+", line) for line in messages[:begin])
    assert messages[begin + 1] == "Testing for 2 iterations."
    text = "\n".join(messages[begin:])
    assert re.search(r"Iteration: 2 forward-backward time: \S+ ms\.", text)
    for layer in ("        ip", "train_only", "      best", "      over"):
        assert re.search(rf"^{layer}\tforward: \S+ ms\.\n{layer}\tbackward: \S+ ms\.$", text,
                         re.MULTILINE), layer
    ending = [re.sub(r"[\d.e+-]+ ms\.", "T", line) for line in messages[-5:]]
    assert ending == ["Average Forward pass: T", "Average Backward pass: T",
                      "Average Forward-Backward: T", "Total Time: T", "*** Benchmark ends ***"]


def test_phase_chooses_layers(model, capsys):
    for phase, there in (("TRAIN", True), ("TEST", False)):
        assert main(["time", "-model", model, "-phase", phase, "-iterations", "1", "-cpu"]) == 0
        assert ("train_only" in capsys.readouterr().out) == there


def test_prints_a_table(model, capsys):
    assert main(["time", "--model", model, "--iterations", "2", "--cpu"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    lines = shown.out.splitlines()
    assert re.fullmatch(r"layer +type +forward ms  backward ms +share", lines[0])
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["x", "Input"], ["x_x_0_split", "Split"], ["ip", "InnerProduct"]]
    assert re.fullmatch(r"all +[\d.]+ +[\d.]+  100.0%", lines[-2])
    assert len({len(line) for line in lines[:-1]}) == 1
    shares = [float(line.split()[-1].rstrip("%")) for line in lines[1:-2]]
    assert sum(shares) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("slow", [False, True])
def test_tells_how_long_data_were_waited_for(tmp_path, monkeypatch, capsys, slow):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros((4, 2), np.float32)
    (tmp_path / "list.txt").write_text("a.h5\n")
    (tmp_path / "n.prototxt").write_text(
        'layer { name: "d" type: "HDF5Data" top: "x" '
        'hdf5_data_param { source: "list.txt" batch_size: 2 } }')
    if slow:
        quick = Batcher.batch
        monkeypatch.setattr(Batcher, "batch", lambda *of: (time.sleep(0.02), quick(*of))[1])
    model = str(tmp_path / "n.prototxt")
    assert main(["time", "--model", model, "--iterations", "3", "--cpu"]) == 0
    closing = capsys.readouterr().out.splitlines()[-1]
    whole, waited, share = map(float, re.fullmatch(
        r"means of 3 passes; .* together ([\d.]+) ms, ([\d.]+) ms of it \(([\d.]+)%\) waiting "
        "for data", closing).groups())
    assert waited <= whole and share == pytest.approx(100 * waited / whole, abs=2)
    assert waited >= 20 or not slow


def test_wrong_number_of_iterations(model, capsys):
    assert main(["time", "--model", model, "--iterations", "0"]) == 1
    assert "--iterations must be 1 or more" in capsys.readouterr().err


class _Runtime:
    def getDeviceCount(self):  # noqa: N802  (CuPy's name)
        return 2

    def getDeviceProperties(self, number):  # noqa: N802
        return {"major": 9, "minor": 0, "name": b"Model %d" % number, "totalGlobalMem": 1 << 37,
                "sharedMemPerBlock": 49152, "regsPerBlock": 65536, "warpSize": 32,
                "memPitch": 2147483647, "maxThreadsPerBlock": 1024,
                "maxThreadsDim": (1024, 1024, 64), "maxGridSize": (2147483647, 65535, 65535),
                "totalConstMem": 65536, "textureAlignment": 512, "multiProcessorCount": 132,
                "kernelExecTimeoutEnabled": 0}

    def deviceGetAttribute(self, code, number):  # noqa: N802
        return {13: 1980000, 15: 1}[code]


@pytest.fixture
def gpus(monkeypatch):
    cupy = SimpleNamespace(cuda=SimpleNamespace(runtime=_Runtime()))
    monkeypatch.setattr(device, "open_device", lambda *names: cupy)


def test_device_query_prints_the_properties(gpus, capsys):
    assert main(["device_query", "--gpu", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Device", "id:", "1"] and len(lines) == 18
    values = {line.partition(":")[0]: line.partition(":")[2].strip() for line in lines}
    assert values["Name"] == "Model 1" and values["Clock rate"] == "1980000"
    assert values["Maximum dimension of block"] == "1024, 1024, 64"
    assert values["Concurrent copy and execution"] == "Yes"
    assert values["Kernel execution timeout"] == "No"


def test_device_query_of_all_and_of_none(gpus, capsys):
    assert main(["device_query"]) == 0
    assert capsys.readouterr().out.count("Device id:") == 2
    assert main(["device_query", "-gpu", "0,2"]) == 1
    assert "there is no GPU 2" in capsys.readouterr().err
    assert main(["device_query", "-gpu", "x"]) == 1


def test_device_query_without_a_gpu(monkeypatch, capsys):
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: None)
    assert main(["device_query"]) == 1
    assert capsys.readouterr().err.startswith("error: a GPU needs CuPy")
