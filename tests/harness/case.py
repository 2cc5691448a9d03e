"""One layer on its own: built from prototxt, fed with arrays, run as a net would run it."""
from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from caffe_lrcn.backends import Backend, get_backend
from caffe_lrcn.blob import Blob
from caffe_lrcn.layer_types import layer_class
from caffe_lrcn.layer_types.base import TEST, Layer, Settings
from caffe_lrcn.net.build import Node, build
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import LayerDef, parse_net


@dataclasses.dataclass
class Case:
    """A layer after setup and reshape, with its blobs; in-place tops are the bottoms."""

    layer: Layer
    bottom: list[Blob]
    top: list[Blob]
    loss_weights: list[float]

    def forward(self) -> None:
        """Reshape and run forward, and raise what the status word stands for, as a net does."""
        self.layer.backend.scratch.rewind()
        self.layer.reshape(self.bottom, self.top)
        self.layer.forward(self.bottom, self.top)
        if self.layer.context.scalars.read().status:
            error = self.layer.complaint(self.bottom)
            if error:
                raise error

    def backward(self, top_diffs: Sequence[Any] | None = None,
                 propagate_down: Sequence[bool] | None = None) -> None:
        """Set the tops' diffs where given, then run backward."""
        for blob, diff in zip(self.top, top_diffs or [], strict=False):
            if diff is not None:
                blob.host_diff[...] = diff
        wanted = self.default_propagate_down() if propagate_down is None else list(propagate_down)
        self.layer.backend.scratch.rewind()
        self.layer.backward(self.top, wanted, self.bottom)

    def default_propagate_down(self) -> list[bool]:
        """Return what ``propagate_down`` says, or True wherever ``force_backward`` may ask."""
        given = list(self.layer.param.propagate_down)
        return given or [self.layer.allow_force_backward(i) for i in range(len(self.bottom))]


def make_layer(prototxt: str, bottoms: Sequence[Any], *, backend: Backend | None = None,
               phase: int = TEST, seed: int = 1, settings: Settings | None = None) -> Case:
    """Build the last layer of ``prototxt`` (one layer is enough) over ``bottoms``.

    It is built a second time on the backend ``shapes``, which must come to the same shapes.

    Args:
        prototxt: ``layer { … }``; bottoms and tops as many as it names, in order.
        bottoms: one array a bottom.
        backend: CPU in float64 if None.
    """
    backend = backend or get_backend("cpu", np.float64)
    layer = parse_net(prototxt, "test.prototxt").layers[-1]
    arrays = [np.asarray(array) for array in bottoms]
    shapes = [array.shape for array in arrays]
    if len(layer.param.loss_weight) == 0 and len(layer.param.top) > 1 and is_loss(layer):
        layer.param.loss_weight.extend([1] + [0] * (len(layer.param.top) - 1))
    layers = [*inputs(layer, shapes), layer]
    node = build(layers, backend, phase, seed=seed, settings=settings).nodes[-1]
    if not node.layer.acts_on_setup:  # twice would be seen
        assert on_shapes(layers, phase, settings) == all_shapes(node), "it differs on shapes"
    for blob, array in zip(node.bottom, arrays, strict=True):
        blob.host_data[...] = array.reshape(blob.shape)  # MVN in place reshapes its bottom
    return Case(node.layer, node.bottom, node.top, list(node.loss_weights))


def all_shapes(node: Node) -> list[tuple[int, ...]]:
    """Return the shapes of all bottoms, tops and parameters."""
    return [blob.shape for blob in (*node.bottom, *node.top, *node.layer.blobs)]


def on_shapes(layers: Sequence[LayerDef], phase: int,
              settings: Settings | None) -> list[tuple[int, ...]]:
    """Return what ``all_shapes`` finds of the last layer on the backend ``shapes``."""
    logger = logging.getLogger("caffe_lrcn")
    logger.disabled = True  # what is logged has been logged by the true layer
    try:
        built = build(layers, get_backend("shapes"), phase, settings=settings)
    finally:
        logger.disabled = False
    built.close()
    return all_shapes(built.nodes[-1])


def is_loss(layer: LayerDef) -> bool:
    """Tell whether a layer is of a loss's type."""
    return layer_class(layer.param.type).is_loss


def inputs(layer: LayerDef, shapes: Sequence[tuple[int, ...]]) -> list[LayerDef]:
    """Return Input layers for the bottoms of a layer, each a blob of its own."""
    made = []
    for position, shape in enumerate(shapes):
        name = layer.param.bottom[position]
        if name in layer.param.bottom[:position]:
            name = layer.param.bottom[position] = f"{name}_{position}"
        param = caffe_pb2.LayerParameter(name=f"input {position}", type="Input", top=[name])
        param.input_param.shape.add(dim=shape)
        made.append(LayerDef(param, layer.place))
    return made


def break_op(module: str, name: str,
             wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Callable[[Layer], None]:
    """Return a ``mutate`` for ``check_gradients`` that replaces one op of the layer's backend.

    ``wrap`` gets the true op and returns the broken one.
    """
    def mutate(layer: Layer) -> None:
        true = getattr(layer.backend, module)
        names = {key: getattr(true, key) for key in dir(true) if not key.startswith("__")}
        names[name] = wrap(names[name])
        layer.backend = dataclasses.replace(layer.backend, **{module: SimpleNamespace(**names)})
    return mutate


def during_backward(name: str, wrap: Callable[[Any], Any]) -> Callable[[Layer], None]:
    """Return a ``mutate`` under which the layer's attribute ``name`` is ``wrap(true value)``.

    Only while the backward pass runs: the forward pass stays right.
    """
    def mutate(layer: Any) -> None:
        true_backward = layer.backward

        def broken(*args: Any) -> None:
            true = getattr(layer, name)
            setattr(layer, name, wrap(true))
            true_backward(*args)
            setattr(layer, name, true)
        layer.backward = broken
    return mutate


def after_backward(change: Callable[[list[Blob], list[Blob]], None]) -> Callable[[Layer], None]:
    """Return a ``mutate`` that runs ``change(top, bottom)`` after a pass for bottom 0."""
    def mutate(layer: Any) -> None:
        true_backward = layer.backward

        def broken(top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
            true_backward(top, propagate_down, bottom)
            if propagate_down[0]:
                change(top, bottom)
        layer.backward = broken
    return mutate
