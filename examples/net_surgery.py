"""Change weights by hand, then turn a classifier of crops into one of whole pictures.

An inner product over a 6 x 6 map is a convolution with a 6 x 6 kernel: with the same numbers in
another shape the net takes pictures of any size and scores every place of them.
"""
from __future__ import annotations

import os
import tempfile

import numpy as np
from shapes import make_shapes

import caffe_lrcn as caffe

COMMON = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 1 dim: %d dim: %d } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: MAX kernel_size: 4 stride: 4 } }
"""
CROPS = COMMON % (28, 28) + """
layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "score"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
"""
WHOLE = COMMON % (36, 44) + """
layer { name: "fc-conv" type: "Convolution" bottom: "pool" top: "score"
  convolution_param { num_output: 3 kernel_size: 6 } }
"""


def open_net(folder: str, name: str, text: str, weights: str | None = None) -> caffe.Net:
    """Write a definition and open it."""
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return caffe.Net(path, caffe.TEST, weights=weights)


def main() -> float:
    """Return the largest difference between scores of a crop in both nets."""
    caffe.set_mode_cpu()
    with tempfile.TemporaryDirectory() as folder:
        crops = open_net(folder, "crops.prototxt", CROPS)
        # The first filter becomes a blur: parameters are NumPy arrays that can be written to.
        kernel = crops.params["conv"][0].data
        kernel[0, 0] = 1 / kernel[0, 0].size
        weights = os.path.join(folder, "crops.caffemodel")
        crops.save(weights)

        whole = open_net(folder, "whole.prototxt", WHOLE, weights)  # conv comes by its name
        for source, target in zip(crops.params["fc"], whole.params["fc-conv"], strict=True):
            print(f"fc {source.shape} -> fc-conv {target.shape}")
            target.data.flat = source.data.flat

    picture = np.zeros((1, 1, 36, 44), np.float32)
    picture[:, :, :28, :28] = make_shapes(1, seed=3)[0]
    everywhere = whole.forward(data=picture)["score"]
    print("scores of the whole picture:", everywhere.shape)
    # One step in the map of scores is four pixels: the stride of the pooling.
    worst = 0.0
    for row, column in np.ndindex(everywhere.shape[2:]):
        crop = picture[:, :, 4 * row:4 * row + 28, 4 * column:4 * column + 28]
        score = crops.forward(data=crop)["score"]
        worst = max(worst, float(np.abs(score[0] - everywhere[0, :, row, column]).max()))
    print(f"largest difference to the scores of its crops: {worst:.2g}")
    return worst


if __name__ == "__main__":
    main()
