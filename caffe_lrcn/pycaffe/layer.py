"""The face of layers that the engine implements, beside ``Layer``, which scripts derive from."""
from __future__ import annotations

from collections.abc import Sequence

from ..layer_types.base import Layer as EngineLayer
from ..layer_types.common.vectors import Blob, BlobVec, raw
from ..layer_types.user_layer import Layer

__all__ = ["BuiltInLayer", "Layer", "face_of"]


class BuiltInLayer(Layer):
    """The face of a layer that the engine implements."""

    def __init__(self, layer: EngineLayer) -> None:
        self._layer = layer
        self.type, self.phase, self.param_str = layer.type, layer.phase, ""
        self.blobs = BlobVec(layer.blobs, layer.backend)

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Set the layer up again for these blobs."""
        self._layer.setup(raw(bottom), raw(top))

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Give the tops the shapes that follow from the bottoms'."""
        self._layer.reshape(raw(bottom), raw(top))

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Run the layer on these blobs."""
        self._layer.forward(raw(bottom), raw(top))

    def backward(self, top: Sequence[Blob], propagate_down: Sequence[bool],
                 bottom: Sequence[Blob]) -> None:
        """Run the layer's backward pass on these blobs."""
        self._layer.backward(raw(top), list(propagate_down), raw(bottom))


def face_of(layer: EngineLayer) -> Layer:
    """Return what scripts see of a layer: a Python layer's own object, a face of any other."""
    instance = getattr(layer, "instance", None)
    return instance if isinstance(instance, Layer) else BuiltInLayer(layer)
