"""What a net looks like from outside: blobs, layers, names, and pycaffe's low-level calls."""
from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

from ..net.net import Net as EngineNet
from .layer import Layer, face_of
from .vectors import Blob, BlobVec, DtypeVec, IntVec, LayerVec, StringVec

_Face = TypeVar("_Face", bound="NetFace")


class NetFace:
    """A net of the engine under pycaffe's names.

    ``blobs`` maps names to blobs in the order in which they are made, ``params`` maps layers to
    their parameters. The names with an underscore are those of pycaffe's compiled part.

    Source: pycaffe's _caffe.cpp and pycaffe.py.
    """

    @classmethod
    def from_engine(cls: type[_Face], engine: EngineNet) -> _Face:
        """Return the pycaffe face of a net that exists already."""
        net = cls.__new__(cls)
        net._wrap(engine)
        return net

    def _wrap(self, engine: EngineNet) -> None:
        self._engine = engine
        names: dict[int, str] = {}
        blobs = {}
        for node in engine.nodes:
            for name, blob in zip(node.top_names, node.top, strict=True):
                if id(blob) not in names:
                    names[id(blob)], blobs[id(blob)] = name, blob
        self._ids = {key: position for position, key in enumerate(names)}
        self._blob_names = StringVec(names.values())
        self._blobs = BlobVec(list(blobs.values()), engine.backend)
        self._layer_names = StringVec(engine.layer_names)
        self._layers: LayerVec = LayerVec(map(face_of, engine.layers))
        # CAFFE-QUIRK: of several blobs or layers with one name ("(automatic)") the last is kept.
        self.blobs: OrderedDict[str, Blob] = OrderedDict(
            zip(self._blob_names, self._blobs, strict=True))
        self.params: OrderedDict[str, BlobVec] = OrderedDict(
            (name, BlobVec(blobs, engine.backend)) for name, blobs in engine.params.items())

    # Names and layers -------------------------------------------------------------------------

    inputs = property(lambda self: list(self._engine.inputs), doc="Names of the input blobs.")
    outputs = property(lambda self: list(self._engine.outputs),
                       doc="Names of the output blobs, alphabetically.")

    @property
    def layers(self) -> LayerVec:
        """All layers in execution order, Split layers included."""
        return self._layers

    @property
    def layer_dict(self) -> OrderedDict[str, Layer]:
        """Layers by name."""
        return OrderedDict(zip(self._layer_names, self._layers, strict=True))

    @property
    def top_names(self) -> OrderedDict[str, list[str]]:
        """Names of each layer's tops, by layer."""
        return OrderedDict(self._engine.top_names)

    @property
    def bottom_names(self) -> OrderedDict[str, list[str]]:
        """Names of each layer's bottoms, by layer."""
        return OrderedDict(self._engine.bottom_names)

    @property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        """Loss weight of each blob."""
        return OrderedDict(self._engine.blob_loss_weights)

    # pycaffe's low-level names --------------------------------------------------------------------

    _inputs = property(lambda self: IntVec(map(list(self._blob_names).index, self.inputs)))
    _outputs = property(lambda self: IntVec(map(list(self._blob_names).index, self.outputs)))
    _blob_loss_weights = property(lambda self: DtypeVec(
        self._engine.blob_loss_weights[name] for name in self._blob_names))

    def _forward(self, start: int, end: int) -> float:
        return self._engine.forward(start, end)

    def _backward(self, start: int, end: int) -> None:
        self._engine.backward(start, end)

    def _bottom_ids(self, layer: int) -> IntVec:
        return IntVec(self._ids[id(blob)] for blob in self._engine.nodes[layer].bottom)

    def _top_ids(self, layer: int) -> IntVec:
        return IntVec(self._ids[id(blob)] for blob in self._engine.nodes[layer].top)
