"""Small nets and solvers for the tests of pycaffe's face."""
from __future__ import annotations

from pathlib import Path

MLP = """
name: "mlp"
layer { name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "fc" top: "fc" }
layer { name: "score" type: "InnerProduct" bottom: "fc" top: "score"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss"
  include { phase: TRAIN } }
layer { name: "prob" type: "Softmax" bottom: "score" top: "prob" include { phase: TEST } }
"""

LINEAR = """
force_backward: true
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 4 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
"""

MEMORY = """
layer { name: "data" type: "MemoryData" top: "data" top: "label"
  memory_data_param { batch_size: 2 channels: 3 height: 1 width: 2 } }
layer { name: "copy" type: "Power" bottom: "data" top: "copy" power_param { scale: 2 } }
"""

NOISE = """
name: "noise"
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 }
    data_filler { type: "constant" value: 1 } data_filler { type: "constant" value: 0.5 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 0.1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "fc" bottom: "label" top: "loss" }
"""

SOLVER = """
net: "noise.prototxt" base_lr: 0.1 lr_policy: "step" gamma: 0.5 stepsize: 2 max_iter: 4
test_iter: 1 test_interval: 10 snapshot_prefix: "snap" solver_mode: CPU random_seed: 7
"""


def write(folder: Path, text: str, name: str = "net.prototxt") -> str:
    """Write a definition and return its path."""
    path = folder / name
    path.write_text(text)
    return str(path)


def write_solver(folder: Path, extra: str = "", name: str = "solver.prototxt") -> str:
    """Write the solver, whose net is NOISE, with further fields."""
    write(folder, NOISE, "noise.prototxt")
    prefix = f'snapshot_prefix: "{folder / "snap"}"'
    return write(folder, SOLVER.replace('snapshot_prefix: "snap"', prefix) + extra, name)
