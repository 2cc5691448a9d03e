"""Time a training iteration of tiny nets against PyTorch, in one process, data included.

Needs PyTorch beside this package:  pip install torch;  python benchmarks/tiny.py
Logistic regression (10 rows of 4 numbers, 2 classes), and the same with a hidden layer of 40 units.
Here a solver reads the rows from an HDF5 file, as `caffe-lrcn train` does; PyTorch's script cuts
them from tensors in memory. Arithmetic takes no time in nets of this size: what is measured is
what an iteration costs besides. Both libraries take turns within each round; the table holds
medians.
"""
from __future__ import annotations

import argparse
import datetime
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import h5py  # noqa: E402  (the environment comes first)
import numpy as np  # noqa: E402
from common import machine, seconds  # noqa: E402

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

ROWS, BATCH, INPUTS, CLASSES, HIDDEN = 7500, 10, 4, 2, 40
RATE, MOMENTUM, DECAY = 0.01, 0.9, 0.0005
DATA = """
layer {{ name: "data" type: "HDF5Data" top: "data" top: "label"
  hdf5_data_param {{ source: "{source}" batch_size: {batch} }} }}
"""
HIDDEN_LAYERS = """
layer { name: "hidden" type: "InnerProduct" bottom: "data" top: "hidden"
  inner_product_param { num_output: 40 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "hidden" top: "hidden" }
"""
LOSS = """
layer {{ name: "score" type: "InnerProduct" bottom: "{bottom}" top: "score"
  inner_product_param {{ num_output: 2 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }}
"""
#: Names of the nets, and whether they have a hidden layer.
NETS = {"logistic regression": False, "hidden layer of 40 units": True}
#: Trains for so many iterations.
Run = Callable[[int], object]


def write_rows(folder: str) -> tuple[np.ndarray, np.ndarray]:
    """Write rows and labels to an HDF5 file and its list; return them."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((ROWS, INPUTS), dtype=np.float32)
    labels = (rows[:, 2] + rows[:, 0] / 2 > 0).astype(np.float32)
    with h5py.File(os.path.join(folder, "rows.h5"), "w") as file:
        file["data"], file["label"] = rows, labels
    Path(folder, "rows.txt").write_text("rows.h5\n")
    return rows, labels


def our_run(folder: str, hidden: bool) -> Run:
    """Return a training in this package."""
    from caffe_lrcn.backends import get_backend
    from caffe_lrcn.proto.text import parse_solver
    from caffe_lrcn.solver.solver import Solver
    path = Path(folder, f"{'hidden' if hidden else 'linear'}.prototxt")
    path.write_text(DATA.format(source=os.path.join(folder, "rows.txt"), batch=BATCH)
                    + (HIDDEN_LAYERS if hidden else "")
                    + LOSS.format(bottom="hidden" if hidden else "data"))
    solver = Solver(parse_solver(
        f'net: "{path}" base_lr: {RATE} momentum: {MOMENTUM} weight_decay: {DECAY} '
        'lr_policy: "fixed" random_seed: 1 snapshot_after_train: false'),
        backend=get_backend("cpu"))
    return solver.step


def torch_run(rows: np.ndarray, labels: np.ndarray, hidden: bool) -> Run:
    """Return the same training in PyTorch."""
    import torch
    from torch import nn
    torch.set_num_threads(1)
    model = (nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
             if hidden else nn.Linear(INPUTS, CLASSES))
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM,
                                weight_decay=DECAY)
    data, target = torch.from_numpy(rows), torch.from_numpy(labels).long()

    def run(iterations: int) -> None:
        for iteration in range(iterations):
            start = iteration * BATCH % ROWS
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(data[start:start + BATCH]),
                                               target[start:start + BATCH])
            loss.backward()
            optimizer.step()
            if not np.isfinite(loss.item()):
                raise RuntimeError("the loss is not finite")

    return run


def measure(hidden: bool, iterations: int, rounds: int) -> tuple[float, float]:
    """Return median milliseconds of an iteration: ours, PyTorch's."""
    with tempfile.TemporaryDirectory() as folder:
        rows, labels = write_rows(folder)
        runs = our_run(folder, hidden), torch_run(rows, labels, hidden)
        times: list[list[float]] = [[], []]
        for repeat in range(rounds + 1):
            for run, values in zip(runs, times, strict=True):
                value = seconds(lambda run=run: run(iterations))
                if repeat:  # the first round warms up
                    values.append(value / iterations * 1e3)
    ours, theirs = map(statistics.median, times)
    return ours, theirs


def table(rows: dict[str, tuple[float, float]]) -> str:
    """Return the measurements as a Markdown table."""
    lines = ["| net | ms | PyTorch, ms | PyTorch = 1 |", "|---|---:|---:|---:|"]
    lines += [f"| {name} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |"
              for name, (ours, theirs) in rows.items()]
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=2000, help="of a round")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=FOLDER / "results" / "tiny.md")
    args = parser.parse_args()
    rows = {name: measure(hidden, args.iterations, args.rounds) for name, hidden in NETS.items()}
    import torch
    text = (f"# Tiny nets, one training iteration with data, float32\n\n"
            f"{BATCH} rows of {INPUTS} numbers, {CLASSES} classes, SGD with momentum\n\n"
            f"{datetime.date.today()}; {machine()}; PyTorch {torch.__version__}, NumPy "
            f"{np.__version__}; medians of {args.rounds} rounds of {args.iterations} iterations "
            f"that take turns; load average at the end {os.getloadavg()[0]:.1f}.\n"
            f"Written by `python benchmarks/tiny.py`.\n\n{table(rows)}\n")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
