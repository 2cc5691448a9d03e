"""Tiny nets of activity recognition with random weights, and what they compute, in NumPy."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import read_net

CLASSES, UNITS, SIDE = 3, 4, 4
_FILLER = 'weight_filler { type: "gaussian" std: %g } bias_filler { type: "gaussian" std: 0.5 }'
_FC = ('layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" '
       'inner_product_param { num_output: 5 ' + _FILLER % 0.004 + ' } }\n')
_SCORES = ('layer { name: "score" type: "InnerProduct" bottom: "%s" top: "score" '
           'inner_product_param { num_output: 3 axis: %d ' + _FILLER % 2 + ' } }\n'
           'layer { name: "probs" type: "Softmax" bottom: "score" top: "probs" '
           'softmax_param { axis: %d } }\n')
_LSTM = ('layer { name: "lstm" type: "LSTM" bottom: "steps" bottom: "%s" top: "lstm" '
         'recurrent_param { num_output: 4 ' + _FILLER % 1.0 + ' } }\n')
SIZED = "image_data_param { new_height: 4 new_width: 5 }"
PLAIN = "transform_param { crop_size: 4 }"


def pictures(rows: int, stated: str) -> str:
    return (f'layer {{ name: "data" type: "Input" top: "data" {stated} input_param {{ '
            f'shape {{ dim: {rows} dim: 3 dim: {SIDE} dim: {SIDE} }} }} }}\n')


def markers(*dims: int) -> str:
    return ('layer { name: "markers" type: "Input" top: "clip_markers" input_param { shape { '
            + " ".join(f"dim: {dim}" for dim in dims) + " } } }\n")


def single_frame(stated: str = SIZED + PLAIN) -> str:
    return pictures(2, stated) + _FC + _SCORES % ("fc", 1, 1)


def lrcn(stated: str = SIZED + PLAIN) -> str:
    return (pictures(6, stated) + markers(3, 2) + _FC +
            'layer { name: "steps" type: "Reshape" bottom: "fc" bottom: "clip_markers" '
            'top: "steps" reshape_param { num_axes: 1 } }\n'
            + _LSTM % "clip_markers" + _SCORES % ("lstm", 2, 2))


def fixed_lrcn(steps: int, columns: int, stated: str = SIZED + PLAIN) -> str:
    """Return a net with T and N in numbers and markers (T*N,), as the original's deploy nets."""
    shape = f"dim: {steps} dim: {columns}"
    return (pictures(steps * columns, stated) + markers(steps * columns) + _FC +
            'layer { name: "reshape-data" type: "Reshape" bottom: "fc" top: "steps" '
            f'reshape_param {{ shape {{ {shape} dim: 5 }} }} }}\n'
            'layer { name: "reshape-cm" type: "Reshape" bottom: "clip_markers" top: "cont" '
            f'reshape_param {{ shape {{ {shape} }} }} }}\n'
            + _LSTM % "cont" + _SCORES % ("lstm", 2, 2))


def write_net(folder: Path, text: str, name: str = "net", seed: int = 3) -> tuple[Path, Path]:
    """Write a definition and random weights for it; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    path, weights = folder / f"{name}.prototxt", folder / f"{name}.caffemodel"
    path.write_text(text)
    Net(read_net(path), get_backend("cpu"), phase=1, seed=seed).save(str(weights))
    return path, weights


class Oracle:
    """What the nets above compute of prepared pictures, in float64."""

    def __init__(self, files: tuple[Path, Path]) -> None:
        net = Net(read_net(files[0]), get_backend("cpu"), phase=1)
        net.copy_trained_layers_from(str(files[1]))
        self.params = {name: [blob.read_data().astype(np.float64) for blob in blobs]
                       for name, blobs in net.params.items()}

    def features(self, pictures: np.ndarray) -> np.ndarray:
        """Return (B, 5) of (B, C, H, W)."""
        weight, bias = self.params["fc"]
        return pictures.reshape(len(pictures), -1).astype(np.float64) @ weight.T + bias

    def frames(self, pictures: np.ndarray) -> np.ndarray:
        """Return the (B, classes) of a single-frame net."""
        return self._probs(self.features(pictures))

    def clip(self, pictures: np.ndarray) -> np.ndarray:
        """Return the (T, classes) of one clip of LRCN, (T, C, H, W)."""
        weight, bias, recurrent = self.params["lstm"]
        h = c = np.zeros(UNITS)
        steps = []
        for x in self.features(pictures):
            i, f, o, g = np.split(weight @ x + bias + recurrent @ h, 4)
            c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(c)
            steps.append(h)
        return self._probs(np.array(steps))

    def _probs(self, x: np.ndarray) -> np.ndarray:
        weight, bias = self.params["score"]
        scores = np.exp(x @ weight.T + bias)
        return scores / scores.sum(axis=-1, keepdims=True)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
