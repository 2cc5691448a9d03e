"""Time a training step of CaffeNet against PyTorch, block by block, in one process.

Needs PyTorch beside this package:  pip install torch;  python benchmarks/convnet.py --batch 16
Both libraries take turns within each round, so that a busy machine slows both; the table holds
medians over the rounds. OMP_WAIT_POLICY=PASSIVE (set below) keeps idle threads of the one from
spinning while the other works. No dropout and no solver: one forward and one backward run.
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

#: name, kind, and its numbers: conv (in, out, kernel, stride, pad, group), fc (in, out).
BLOCKS: list[tuple[str, str, tuple[int, ...]]] = [
    ("conv1 + relu", "conv", (3, 96, 11, 4, 0, 1)),
    ("pool1", "pool", ()),
    ("norm1", "lrn", ()),
    ("conv2 + relu", "conv", (96, 256, 5, 1, 2, 2)),
    ("pool2", "pool", ()),
    ("norm2", "lrn", ()),
    ("conv3 + relu", "conv", (256, 384, 3, 1, 1, 1)),
    ("conv4 + relu", "conv", (384, 384, 3, 1, 1, 2)),
    ("conv5 + relu", "conv", (384, 256, 3, 1, 1, 2)),
    ("pool5", "pool", ()),
    ("fc6 + relu", "fc", (9216, 4096)),
    ("fc7 + relu", "fc", (4096, 4096)),
    ("fc8", "last", (4096, 1000)),
]
CLASSES, SIDE = 1000, 227
NOTE = ("Gradients of weights are added to kept arrays here and newly allocated by autograd, "
        "which is part of the distance on the fc blocks.")
Pair = tuple[Callable[[], Any], Callable[[], Any]]


def prototxt(batch: int) -> str:
    """Return the net as a definition."""
    text = (f'layer {{ name: "data" type: "Input" top: "t0" top: "label" input_param {{ '
            f'shape {{ dim: {batch} dim: 3 dim: {SIDE} dim: {SIDE} }} '
            f'shape {{ dim: {batch} }} }} }}\n')
    for index, (name, kind, numbers) in enumerate(BLOCKS):
        bottom, top = f"t{index}", f"t{index + 1}"
        text += (f'layer {{ name: "{name}" bottom: "{bottom}" top: "{top}" '
                 f'{_layer_body(kind, numbers)} }}\n')
        if name.endswith("relu"):
            text += f'layer {{ name: "{name} 2" type: "ReLU" bottom: "{top}" top: "{top}" }}\n'
    return text + (f'layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "t{len(BLOCKS)}" '
                   f'bottom: "label" top: "loss" }}\n')


def _layer_body(kind: str, numbers: tuple[int, ...]) -> str:
    if kind == "pool":
        return 'type: "Pooling" pooling_param { kernel_size: 3 stride: 2 }'
    if kind == "lrn":
        return 'type: "LRN" lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }'
    weights = 'weight_filler { type: "xavier" }'
    if kind == "conv":
        _, out, kernel, stride, pad, group = numbers
        return (f'type: "Convolution" convolution_param {{ num_output: {out} kernel_size: {kernel} '
                f'stride: {stride} pad: {pad} group: {group} {weights} }}')
    return f'type: "InnerProduct" inner_product_param {{ num_output: {numbers[1]} {weights} }}'


def torch_block(kind: str, numbers: tuple[int, ...]) -> Any:
    """Return the same block as a PyTorch module."""
    from torch import nn
    if kind == "pool":
        return nn.MaxPool2d(3, 2, ceil_mode=True)
    if kind == "lrn":
        return nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)
    if kind == "conv":
        channels, out, kernel, stride, pad, group = numbers
        return nn.Sequential(nn.Conv2d(channels, out, kernel, stride, pad, groups=group),
                             nn.ReLU(inplace=True))
    linear = [nn.Flatten(), nn.Linear(*numbers)]
    return nn.Sequential(*linear, *([nn.ReLU(inplace=True)] if kind == "fc" else []))


def our_runs(batch: int, threads: int) -> list[Pair]:
    """Return (forward, backward) of each block and, last, of the whole net."""
    from caffe_lrcn.backends import get_backend
    from caffe_lrcn.backends.cpu.threads import set_threads
    from caffe_lrcn.net.net import Net
    from caffe_lrcn.proto.text import parse_net
    set_threads(threads)
    net = Net(parse_net(prototxt(batch)), get_backend("cpu", np.float32), phase=0)
    rng = np.random.default_rng(0)
    net.blobs["t0"].data[...] = rng.standard_normal(net.blobs["t0"].shape)
    net.blobs["label"].data[...] = rng.integers(0, CLASSES, batch)
    net.forward()
    net.backward()
    pairs: list[Pair] = []
    for name, _, _ in BLOCKS:
        first = net.layer_names.index(name)
        last = first + name.endswith("relu")
        pairs.append((lambda a=first, b=last: net.forward(a, b),
                      lambda a=first, b=last: net.backward(b, a)))
    return [*pairs, (net.forward, net.backward)]


def torch_runs(batch: int, threads: int) -> list[Pair]:
    """Return the same of PyTorch."""
    import torch
    torch.set_num_threads(threads)
    modules = [torch_block(kind, numbers) for _, kind, numbers in BLOCKS]
    x = torch.randn(batch, 3, SIDE, SIDE)
    label = torch.randint(0, CLASSES, (batch,))
    pairs, value = [], x
    for index, module in enumerate(modules):
        inputs = value.detach().requires_grad_(index > 0)  # no gradient of the pictures
        value = module(inputs)
        wanted = [*module.parameters(), *([inputs] if index else [])]
        pairs.append(_torch_pair(module, inputs, value, wanted))
    whole = torch.nn.Sequential(*modules)
    parameters = list(whole.parameters())
    state: dict[str, Any] = {}

    def forward() -> None:
        state["loss"] = torch.nn.functional.cross_entropy(whole(x), label)

    def backward() -> None:
        torch.autograd.grad(state["loss"], parameters)

    return [*pairs, (forward, backward)]


def _torch_pair(module: Any, inputs: Any, value: Any, wanted: list[Any]) -> Pair:
    import torch
    gradient = torch.randn_like(value)

    def backward() -> None:
        if wanted:
            torch.autograd.grad(value, wanted, gradient, retain_graph=True)

    return (lambda: module(inputs)), backward


def measure(batch: int, threads: int, rounds: int) -> list[list[float]]:
    """Return median milliseconds for each block: ours and PyTorch's forward, then backward."""
    ours, theirs = our_runs(batch, threads), torch_runs(batch, threads)
    times = [[[] for _ in range(4)] for _ in ours]
    for repeat in range(rounds + 1):
        for row, mine, other in zip(times, ours, theirs, strict=True):
            found = [seconds(run) for run in (mine[0], mine[1], other[0], other[1])]
            if repeat:  # the first round warms up
                for series, value in zip(row, found, strict=True):
                    series.append(value)
    order = (0, 2, 1, 3)
    return [[statistics.median(row[i]) * 1e3 for i in order] for row in times]


def table(rows: list[list[float]]) -> str:
    """Return the measurements as a Markdown table."""
    lines = ["| block | forward, ms | PyTorch | backward, ms | PyTorch | both, PyTorch = 1 |",
             "|---|---:|---:|---:|---:|---:|"]
    for (name, *_), row in zip([*BLOCKS, ("whole step",)], rows, strict=True):
        ratio = (row[0] + row[2]) / (row[1] + row[3])
        lines.append(f"| {name} | " + " | ".join(f"{value:.1f}" for value in row)
                     + f" | {ratio:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=FOLDER / "results" / "convnet.md")
    args = parser.parse_args()
    rows = measure(args.batch, args.threads, args.rounds)
    import torch
    load = os.getloadavg()[0]
    text = (f"# CaffeNet, one training step, batch {args.batch}, float32\n\n"
            f"{datetime.date.today()}; {machine()}, {args.threads} threads; "
            f"PyTorch {torch.__version__}, NumPy {np.__version__}; medians of {args.rounds} rounds "
            f"that take turns; load average at the end {load:.1f}.\n"
            f"Written by `python benchmarks/convnet.py`. {NOTE}\n\n{table(rows)}\n")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
