"""A loss layer in Python: it gives the numbers of the built-in one, and trains."""
from __future__ import annotations

import os
import tempfile

import numpy as np

import caffe_lrcn as caffe

NET = """
layer { name: "data" type: "Input" top: "data" top: "target"
  input_param { shape { dim: 16 dim: 5 } shape { dim: 16 dim: 2 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" bottom: "fc" bottom: "target" top: "loss" %s }
"""
BUILT_IN = 'type: "EuclideanLoss"'
# Only loss_weight makes a Python layer a loss.
IN_PYTHON = """type: "Python" loss_weight: 1
  python_param { module: "example_layers" layer: "EuclideanLoss" }"""


def train(folder: str, loss: str) -> tuple[float, np.ndarray]:
    """Fit a linear map; return the last loss and the weights."""
    net, path = os.path.join(folder, "net.prototxt"), os.path.join(folder, "solver.prototxt")
    with open(net, "w") as file:
        file.write(NET % loss)
    with open(path, "w") as file:
        file.write(f'net: "{net}" base_lr: 0.1 momentum: 0.5 lr_policy: "fixed" random_seed: 1')
    solver = caffe.SGDSolver(path)
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(2, 5))
    for _ in range(100):
        data = rng.normal(size=(16, 5))
        solver.net.blobs["data"].data[...] = data
        solver.net.blobs["target"].data[...] = data @ truth.T
        solver.step(1)
    return float(solver.net.blobs["loss"].data.sum()), solver.net.params["fc"][0].data


def main() -> tuple[float, float, float]:
    """Return both losses and the largest difference between the weights."""
    caffe.set_mode_cpu()
    with tempfile.TemporaryDirectory() as folder:
        built_in, weights = train(folder, BUILT_IN)
        in_python, python_weights = train(folder, IN_PYTHON)
    difference = float(np.abs(weights - python_weights).max())
    print(f"loss {built_in:.2g} (built in), {in_python:.2g} (Python); "
          f"weights differ by {difference:.2g}")
    return built_in, in_python, difference


if __name__ == "__main__":
    main()
