"""A tiny captioner with everything that an exact resume has to remember, and its data."""
from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from PIL import Image

NET = """
name: "tiny"
layer { name: "pictures" type: "ImageData" top: "data" top: "label" include { phase: TRAIN }
  transform_param { crop_size: 5 mirror: true scale: 0.01 }
  image_data_param { source: "pictures.txt" batch_size: 3 shuffle: true } }
layer { name: "pictures" type: "ImageData" top: "data" top: "label" include { phase: TEST }
  transform_param { crop_size: 5 mirror: true scale: 0.01 }
  image_data_param { source: "pictures.txt" batch_size: 3 } }
layer { name: "label" type: "Silence" bottom: "label" }
layer { name: "words" type: "HDF5Data" top: "cont" top: "input" top: "target"
  hdf5_data_param { source: "words.txt" batch_size: 2 shuffle: true } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc" dropout_param { dropout_ratio: 0.4 } }
layer { name: "embed" type: "Embed" bottom: "input" top: "embed"
  embed_param { input_dim: 7 num_output: 5 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
layer { name: "lstm" type: "LSTM" bottom: "embed" bottom: "cont" bottom: "fc" top: "lstm"
  recurrent_param { num_output: 6 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
layer { name: "predict" type: "InnerProduct" bottom: "lstm" top: "predict"
  inner_product_param { num_output: 7 axis: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "predict" bottom: "target" top: "loss"
  softmax_param { axis: 2 } }
layer { name: "accuracy" type: "Accuracy" bottom: "predict" bottom: "target" top: "accuracy"
  include { phase: TEST stage: "scored" } accuracy_param { axis: 2 } }
"""

SOLVER = """
net: "tiny.prototxt"
test_iter: 2 test_iter: 3 test_interval: 4
test_state {} test_state { stage: "scored" }
base_lr: 0.1 momentum: 0.9 weight_decay: 0.001 lr_policy: "multistep" gamma: 0.5
stepvalue: 7 stepvalue: 13
max_iter: 20 display: 3 average_loss: 5 iter_size: 2 clip_gradients: 3
snapshot: 5 snapshot_prefix: "out/tiny" solver_mode: CPU random_seed: 11
"""


def make_task(folder: Path) -> Path:
    """Write nets, solver and data into ``folder``; return the solver's path."""
    rng = np.random.default_rng(3)
    names = []
    for index in range(7):
        pixels = rng.integers(0, 256, (7, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"p{index}.png")
        names.append(f"p{index}.png {index}")
    (folder / "pictures.txt").write_text("\n".join(names) + "\n")
    for part, rows in enumerate((6, 8)):
        with h5py.File(folder / f"words{part}.h5", "w") as file:
            # Rows are time steps of 3 streams; few markers are 0, so that state is carried.
            file["cont"] = (rng.random((rows, 3)) > 0.2).astype("f4")
            file["input"] = rng.integers(0, 7, (rows, 3)).astype("f4")
            file["target"] = rng.integers(0, 7, (rows, 3)).astype("f4")
    (folder / "words.txt").write_text("words0.h5\nwords1.h5\n")
    (folder / "tiny.prototxt").write_text(NET)
    (folder / "solver.prototxt").write_text(SOLVER)
    return folder / "solver.prototxt"
