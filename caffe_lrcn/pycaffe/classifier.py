"""``Classifier``: class scores of pictures, from one or ten crops each.

Source: python/caffe/classifier.py.
"""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import UsageError
from ..layer_types.base import TEST
from . import Net
from .pictures import centre, oversample, resize_image
from .transformer import Transformer


class Classifier(Net):
    """A net with one input blob, whose first output holds the scores.

    Args:
        model_file, pretrained_file: definition and weights.
        image_dims: height and width to which pictures are resized before they are cropped
            (default: the crop's, the input blob's).
        mean, input_scale, raw_scale, channel_swap: see ``Transformer``.

    Raises:
        PrototxtError, NetError, WeightsError: the net cannot be built.
    """

    def __init__(self, model_file: str | os.PathLike, pretrained_file: str | os.PathLike,
                 image_dims: Sequence[int] | None = None, mean: np.ndarray | None = None,
                 input_scale: float | None = None, raw_scale: float | None = None,
                 channel_swap: Sequence[int] | None = None) -> None:
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = make_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].shape[2:])
        self.image_dims = self.crop_dims if image_dims is None else np.array(image_dims)

    def predict(self, inputs: Sequence[np.ndarray], oversample: bool = True) -> np.ndarray:
        """Return (N, C) scores of N pictures.

        Args:
            inputs: pictures (H, W, K) as ``io.load_image`` gives them, of any size.
            oversample: average over ten crops; False takes the one in the centre. CAFFE-QUIRK:
                the centre is rounded down.

        Raises:
            UsageError: ``image_dims`` is smaller than the crop.
        """
        name = self.inputs[0]
        resized = np.stack([resize_image(picture, self.image_dims) for picture in inputs])
        crops = self._crops(resized, oversample)
        blob = np.stack([self.transformer.preprocess(name, crop) for crop in crops])
        scores = self.forward_all(**{name: blob})[self.outputs[0]]
        if oversample:
            scores = scores.reshape(len(resized), -1, scores[0].size).mean(1)
        return scores

    def _crops(self, pictures: np.ndarray, ten: bool) -> np.ndarray:
        if ten:
            return oversample(pictures, self.crop_dims)
        (top, left), (height, width) = centre(self.image_dims, self.crop_dims), self.crop_dims
        return pictures[:, top:top + height, left:left + width]


def make_transformer(net: Net, mean: np.ndarray | None, input_scale: float | None,
                     raw_scale: float | None, channel_swap: Sequence[int] | None) -> Transformer:
    """Return a Transformer from (H, W, C) pictures to the first input of ``net``.

    Raises:
        UsageError: the net has no input for pictures.
    """
    name = next(iter(net.inputs), "")
    shape = net.blobs[name].shape if name else None
    if shape is None or len(shape) != 4:
        raise UsageError("the net's first input takes no pictures", got=shape or "no input blob",
                         wanted="an input (N, C, H, W)",
                         remedy="Give a deploy net with an Input layer instead of data and loss")
    transformer = Transformer({name: net.blobs[name].shape})
    transformer.set_transpose(name, (2, 0, 1))
    settings: list[tuple[Any, Any]] = [
        (transformer.set_mean, mean), (transformer.set_input_scale, input_scale),
        (transformer.set_raw_scale, raw_scale), (transformer.set_channel_swap, channel_swap)]
    for setter, value in settings:
        if value is not None:
            setter(name, value)
    return transformer
