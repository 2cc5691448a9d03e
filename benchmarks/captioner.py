"""Time a training step of the two-layer factored LSTM captioner against PyTorch, in one process.

Needs PyTorch beside this package:  pip install torch;  python benchmarks/captioner.py
The paper's size: 20 steps, 100 captions side by side, 1000 units, 8801 words; picture features
come in ready. One step is forward, backward and an SGD update with momentum. Both libraries take
turns within each round; the table holds medians.
"""
from __future__ import annotations

import argparse
import datetime
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np  # noqa: E402  (the environment comes first)
from common import machine, seconds  # noqa: E402

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

RATE, MOMENTUM = 0.01, 0.9
NET = """
layer {{ name: "in" type: "Input" top: "cont" top: "input" top: "target"
  input_param {{ shape {{ dim: {steps} dim: {streams} }} }} }}
layer {{ name: "image" type: "Input" top: "image"
  input_param {{ shape {{ dim: {streams} dim: {units} }} }} }}
layer {{ name: "embedding" type: "Embed" bottom: "input" top: "embedded" embed_param {{
  bias_term: false input_dim: {words} num_output: {units} {fill} }} }}
layer {{ name: "lstm1" type: "LSTM" bottom: "embedded" bottom: "cont" top: "lstm1"
  recurrent_param {{ num_output: {units} {fill} }} }}
layer {{ name: "lstm2" type: "LSTM" bottom: "lstm1" bottom: "cont" bottom: "image" top: "lstm2"
  recurrent_param {{ num_output: {units} {fill} }} }}
layer {{ name: "predict" type: "InnerProduct" bottom: "lstm2" top: "predict"
  inner_product_param {{ axis: 2 num_output: {words} {fill} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "predict" bottom: "target" top: "loss"
  softmax_param {{ axis: 2 }} }}
"""
Run = Callable[[], Any]


def our_runs(size: dict[str, int], threads: int) -> list[Run]:
    """Return forward, backward and update of the net in this package."""
    from caffe_lrcn.backends import get_backend
    from caffe_lrcn.backends.cpu.threads import set_threads
    from caffe_lrcn.net.net import Net
    from caffe_lrcn.proto.caffe_pb2 import SolverParameter
    from caffe_lrcn.proto.text import parse_net
    from caffe_lrcn.solver.step import EagerStep
    from caffe_lrcn.solver.updates import RULES
    set_threads(threads)
    fill = 'weight_filler { type: "uniform" min: -0.08 max: 0.08 }'
    backend = get_backend("cpu", np.float32)
    net = Net(parse_net(NET.format(fill=fill, **size)), backend, phase=0)
    rng = np.random.default_rng(0)
    shape = (size["steps"], size["streams"])
    net.blobs["input"].data[...] = rng.integers(0, size["words"], shape)
    net.blobs["target"].data[...] = rng.integers(0, size["words"], shape)
    net.blobs["cont"].data[1:] = 1
    net.blobs["image"].data[...] = rng.standard_normal(net.blobs["image"].shape)
    step = EagerStep(net, SolverParameter(momentum=MOMENTUM), RULES["SGD"])

    def backward() -> None:
        net.clear_param_diffs()
        net.backward()

    def update() -> None:
        step.measure()
        step.update(RATE, 0)

    return [net.forward, backward, update]


def torch_runs(size: dict[str, int], threads: int) -> list[Run]:
    """Return the same of PyTorch; its second LSTM reads the picture beside the first's output."""
    import torch
    from torch import nn
    torch.set_num_threads(threads)
    units, words = size["units"], size["words"]
    embedding = nn.Embedding(words, units)
    lstm1, lstm2 = nn.LSTM(units, units), nn.LSTM(2 * units, units)
    predict = nn.Linear(units, words)
    modules = nn.ModuleList([embedding, lstm1, lstm2, predict])
    optimizer = torch.optim.SGD(modules.parameters(), lr=RATE, momentum=MOMENTUM)
    tokens = torch.randint(0, words, (size["steps"], size["streams"]))
    target = torch.randint(0, words, (size["steps"] * size["streams"],))
    image = torch.randn(size["streams"], units).expand(size["steps"], -1, -1)
    state: dict[str, Any] = {}

    def forward() -> None:
        first, _ = lstm1(embedding(tokens))
        second, _ = lstm2(torch.cat([first, image], 2))
        state["loss"] = nn.functional.cross_entropy(predict(second).reshape(-1, words), target)

    def backward() -> None:
        optimizer.zero_grad(set_to_none=False)
        state["loss"].backward()

    return [forward, backward, optimizer.step]


def measure(size: dict[str, int], threads: int, rounds: int) -> list[tuple[float, float]]:
    """Return median milliseconds (ours, PyTorch's) of forward, backward and update."""
    runs = our_runs(size, threads), torch_runs(size, threads)
    times: list[list[list[float]]] = [[[] for _ in range(3)] for _ in runs]
    for repeat in range(rounds + 1):
        for library, series in zip(runs, times, strict=True):
            for run, values in zip(library, series, strict=True):
                value = seconds(run)
                if repeat:  # the first round warms up
                    values.append(value)
    return [(statistics.median(ours) * 1e3, statistics.median(theirs) * 1e3)
            for ours, theirs in zip(*times, strict=True)]


def table(rows: list[tuple[float, float]]) -> str:
    """Return the measurements as a Markdown table."""
    lines = ["| part | ms | PyTorch, ms | PyTorch = 1 |", "|---|---:|---:|---:|"]
    total = (sum(ours for ours, _ in rows), sum(theirs for _, theirs in rows))
    for name, (ours, theirs) in zip(("forward", "backward", "update", "whole step"),
                                    [*rows, total], strict=True):
        lines.append(f"| {name} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--words", type=int, default=8801)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=FOLDER / "results" / "captioner.md")
    args = parser.parse_args()
    size = {name: getattr(args, name) for name in ("steps", "streams", "units", "words")}
    rows = measure(size, args.threads, args.rounds)
    import torch
    numbers = ", ".join(f"{name} {value}" for name, value in size.items())
    text = (f"# The captioner (two-layer factored LSTM), one training step, float32\n\n"
            f"{numbers}\n\n{datetime.date.today()}; {machine()}, {args.threads} threads; "
            f"PyTorch {torch.__version__}, NumPy {np.__version__}; medians of {args.rounds} rounds "
            f"that take turns; load average at the end {os.getloadavg()[0]:.1f}.\n"
            f"Written by `python benchmarks/captioner.py`.\n\n{table(rows)}\n")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
