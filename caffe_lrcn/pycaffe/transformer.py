"""``Transformer``: from pictures (H, W, C) to input blobs (C, H, W) and back."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import UsageError
from .pictures import resize_image


class Transformer:
    """Formats pictures for a net's inputs.

    ``preprocess``: resize to the input's height and width → transpose → swap channels →
    multiply by ``raw_scale`` → subtract ``mean`` → multiply by ``input_scale``; what is not set is
    left out.

    Args:
        inputs: name → shape (N, C, H, W) of each input.

    Source: python/caffe/io.py.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]) -> None:
        self.inputs = {name: tuple(shape) for name, shape in inputs.items()}
        self.transpose: dict[str, tuple[int, ...]] = {}
        self.channel_swap: dict[str, tuple[int, ...]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, np.ndarray] = {}
        self.input_scale: dict[str, float] = {}
        self.is_flow: dict[str, bool] = {}

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """Set the order of the axes: (2, 0, 1) makes (H, W, C) to (C, H, W).

        Raises:
            UsageError: no such input, or another number of axes.
        """
        self._check_input(in_)
        if sorted(order) != list(range(len(self.inputs[in_]) - 1)):
            raise UsageError(f"the transpose order does not fit input '{in_}'", got=tuple(order),
                             wanted=f"an order of {len(self.inputs[in_]) - 1} axes")
        self.transpose[in_] = tuple(order)

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """Set the order of the channels: (2, 1, 0) swaps RGB and BGR.

        Raises:
            UsageError: no such input, or another number of channels.
        """
        self._check_input(in_)
        if len(order) != self.inputs[in_][1]:
            raise UsageError(f"the channel order does not fit input '{in_}'", got=tuple(order),
                             wanted=f"{self.inputs[in_][1]} channels")
        self.channel_swap[in_] = tuple(order)

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """Set the factor that comes before the mean: 255 for pictures of ``load_image``."""
        self._check_input(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_: str, mean: np.ndarray) -> None:
        """Set the mean: (C,), (H, W) or (C, H, W); one of another size is resized.

        Raises:
            UsageError: no such input, or another number of channels or axes.
        """
        self._check_input(in_)
        _, channels, *size = self.inputs[in_]
        if mean.ndim not in (1, 2, 3):
            raise UsageError(f"the mean of input '{in_}' has too few or too many axes",
                             got=mean.shape, wanted="(C,), (H, W) or (C, H, W)")
        if mean.ndim == 2:
            mean = mean[np.newaxis]
        elif mean.shape[0] != channels:
            raise UsageError(f"the mean does not fit input '{in_}'", got=mean.shape,
                             wanted=f"{channels} channels")
        if mean.ndim == 1:
            mean = mean[:, np.newaxis, np.newaxis]
        elif mean.shape[1:] != tuple(size):
            mean = resize_image(mean.transpose(1, 2, 0), size).transpose(2, 0, 1)
        self.mean[in_] = mean

    def set_input_scale(self, in_: str, scale: float) -> None:
        """Set the factor that comes after the mean."""
        self._check_input(in_)
        self.input_scale[in_] = scale

    def set_is_flow(self, in_: str, is_flow: bool) -> None:
        """Note whether an input is optical flow, for scripts that mirror it by ``flip_image``.

        Source: the LRCN activity branch's io.py.
        """
        self._check_input(in_)
        self.is_flow[in_] = is_flow

    def preprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """Return a picture as the net's input takes it, (C, H, W) float32; ``data`` is kept.

        Raises:
            UsageError: no such input.
        """
        self._check_input(in_)
        size = self.inputs[in_][2:]
        values = np.array(data, np.float32)
        if values.shape[:2] != size:
            values = resize_image(values, size)
        if in_ in self.transpose:
            values = values.transpose(self.transpose[in_])
        if in_ in self.channel_swap:
            values = values[list(self.channel_swap[in_])]
        if self.raw_scale.get(in_) is not None:
            values *= self.raw_scale[in_]
        if in_ in self.mean:
            values -= self.mean[in_]
        if self.input_scale.get(in_) is not None:
            values *= self.input_scale[in_]
        return values

    def deprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """Undo ``preprocess``, but for the resizing.

        Raises:
            UsageError: no such input.
        """
        self._check_input(in_)
        values = np.array(data)
        if values.ndim == len(self.inputs[in_]) and len(values) == 1:
            values = values[0]  # a blob with one picture
        if self.input_scale.get(in_) is not None:
            values = values / self.input_scale[in_]
        if in_ in self.mean:
            values = values + self.mean[in_]
        if self.raw_scale.get(in_) is not None:
            values = values / self.raw_scale[in_]
        if in_ in self.channel_swap:
            values = values[np.argsort(self.channel_swap[in_])]
        if in_ in self.transpose:
            values = values.transpose(np.argsort(self.transpose[in_]))
        return values

    def _check_input(self, in_: str) -> None:
        if in_ not in self.inputs:
            raise UsageError(f"'{in_}' is not an input", wanted=", ".join(self.inputs))
