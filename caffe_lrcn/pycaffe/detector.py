"""``Detector``: class scores of windows of pictures, as R-CNN takes them.

Source: python/caffe/detector.py.
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import UsageError
from ..layer_types.base import TEST
from . import Net
from .classifier import make_transformer
from .pictures import load_image, resize_image


class Detector(Net):
    """A net with one input blob, whose first output holds the scores of a window.

    Args:
        model_file, pretrained_file: definition and weights.
        mean, input_scale, raw_scale, channel_swap: see ``io.Transformer``.
        context_pad: pixels of the input on each side that show the surroundings of the window.

    Raises:
        PrototxtError, NetError, WeightsError: the net cannot be built.
    """

    def __init__(self, model_file: str | os.PathLike, pretrained_file: str | os.PathLike,
                 mean: np.ndarray | None = None, input_scale: float | None = None,
                 raw_scale: float | None = None, channel_swap: Sequence[int] | None = None,
                 context_pad: int | None = None) -> None:
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = make_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.configure_crop(context_pad)

    def configure_crop(self, context_pad: int | None) -> None:
        """Set the context padding and the colour that fills what lies outside of a picture.

        That colour is the mean, in the units of ``io.load_image``.
        """
        name, transformer = self.inputs[0], self.transformer
        channels, height, width = self.blobs[name].shape[1:]
        self.crop_dims = np.array([height, width, channels])
        self.context_pad = context_pad or 0
        mean = transformer.mean.get(name)
        if mean is None:
            self.crop_mean = np.zeros(self.crop_dims, np.float32)
            return
        mean = mean.transpose(1, 2, 0).astype(np.float32)
        if name in transformer.channel_swap:
            mean = mean[:, :, np.argsort(transformer.channel_swap[name])]
        self.crop_mean = mean / transformer.raw_scale.get(name, 1)

    def detect_windows(self, images_windows: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
        """Score windows of pictures.

        Args:
            images_windows: picture files, each with windows (ymin, xmin, ymax, xmax) in pixels.

        Returns:
            A dict with ``window``, ``prediction`` and ``filename`` for each window.

        Raises:
            DataError: a picture cannot be read.
            UsageError: a window is empty or lies outside of its picture.
        """
        found: list[dict[str, Any]] = []
        inputs: list[np.ndarray] = []
        name = self.inputs[0]
        for file, windows in images_windows:
            picture = load_image(file)
            for window in windows:
                window = np.asarray(window)
                inputs.append(self.transformer.preprocess(name, self.crop(picture, window)))
                found.append({"window": window, "prediction": None, "filename": file})
        if not found:
            return found
        scores = self.forward_all(**{name: np.stack(inputs)})[self.outputs[0]]
        for entry, score in zip(found, scores, strict=True):
            entry["prediction"] = score.reshape(len(score)) if score[0].size == 1 else score
        return found

    def detect_selective_search(self, image_fnames: Iterable[str]) -> list[dict[str, Any]]:
        """Refuse: proposals by selective search need a MATLAB program, which is not included.

        Raises:
            UsageError: always.
        """
        raise UsageError("selective search is not included",
                         remedy="Find windows with another program and use detect_windows.")

    def crop(self, im: np.ndarray, window: Sequence[int] | np.ndarray) -> np.ndarray:
        """Cut a window from a picture, with its surroundings if ``context_pad`` is set.

        With surroundings the result has the input's size: the window fills it but for
        ``context_pad`` pixels on each side, and the mean stands where the picture ends.

        Args:
            im: (H, W, C).
            window: (ymin, xmin, ymax, xmax) in pixels.

        Raises:
            UsageError: the window is empty or lies outside of the picture.
        """
        box = np.asarray(window, float)
        if self.context_pad:
            return self._crop_with_context(im, box)
        ymin, xmin, ymax, xmax = np.round(box).astype(int)
        cut = im[max(ymin, 0):ymax, max(xmin, 0):xmax]
        if not cut.size:
            raise _no_window(im, box)
        return cut

    def _crop_with_context(self, im: np.ndarray, box: np.ndarray) -> np.ndarray:
        size = int(self.crop_dims[1])
        scale = size / (size - 2.0 * self.context_pad)
        half = (box[2:] - box[:2] + 1) / 2
        middle = box[:2] + half
        box = np.round(np.concatenate([middle - scale * half, middle + scale * half]))
        zoom = size / (box[2:] - box[:2] + 1)
        limits = np.array(im.shape[:2])
        low, high = np.clip(box[:2], 0, limits), np.clip(box[2:], 0, limits)
        if np.any(high <= low):
            raise _no_window(im, box)
        start = np.round(np.maximum(0, -box[:2]) * zoom).astype(int)
        extent = np.round((high - low + 1) * zoom).astype(int)
        extent = np.maximum(1, np.minimum(extent, size - start))
        (y0, x0), (y1, x1) = low.astype(int), high.astype(int)
        result = np.ones(self.crop_dims, np.float32) * self.crop_mean
        (top, left), (height, width) = start, extent
        result[top:top + height, left:left + width] = resize_image(im[y0:y1, x0:x1], extent)
        return result


def _no_window(im: np.ndarray, box: np.ndarray) -> UsageError:
    return UsageError("the window has no pixels in the picture", got=box.tolist(),
                      wanted=f"ymin, xmin, ymax, xmax within {im.shape[:2]}")
