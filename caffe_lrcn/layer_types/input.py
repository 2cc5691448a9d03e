"""Input: blobs that the caller fills."""
from __future__ import annotations

from ..blob import Blob
from ..errors import PrototxtError
from .base import Arity, Layer, exactly


class Input(Layer):
    """Gives its tops a shape and leaves their values to the caller.

    ``input_param.shape`` is given once for all tops, once for each, or not at all.

    Raises:
        PrototxtError: another number of shapes.

    Source: Caffe's input_layer.
    """

    bottoms = exactly(0)
    tops = Arity(1)

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        shapes = self.param.input_param.shape
        if len(shapes) not in (0, 1, len(top)):
            raise self.error(PrototxtError, "shape must be given once, once per top, or not at all",
                             got=len(shapes), wanted=f"0, 1 or {len(top)}", at=("input_param",))
        for i, blob in enumerate(top):
            if shapes:
                blob.reshape(*shapes[i if len(shapes) > 1 else 0].dim)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        # Shapes are set once: callers reshape these blobs between passes.
        pass

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        pass

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        pass
