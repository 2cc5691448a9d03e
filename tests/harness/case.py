"""One layer on its own: built from prototxt, fed with arrays, run as a net would run it."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from caffe_lrcn.backends import Backend, get_backend
from caffe_lrcn.blob import Blob
from caffe_lrcn.layer_types import layer_class
from caffe_lrcn.layer_types.base import TEST, Layer, LayerContext, Settings
from caffe_lrcn.proto.text import parse_net


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

    def set_loss_weights(self) -> None:
        """Fill the diffs of weighted tops, as a net does before a backward pass."""
        for blob, weight in zip(self.top, self.loss_weights, strict=True):
            if weight:
                blob.host_diff[...] = weight


def make_layer(prototxt: str, bottoms: Sequence[Any], *, backend: Backend | None = None,
               phase: int = TEST, seed: int = 1, settings: Settings | None = None) -> Case:
    """Build the last layer of ``prototxt`` (one layer is enough) over ``bottoms``.

    Args:
        prototxt: ``layer { … }``; bottoms and tops as many as it names, in order.
        bottoms: one array a bottom.
        backend: CPU in float64 if None.
    """
    backend = backend or get_backend("cpu", np.float64)
    definition = parse_net(prototxt, "test.prototxt").layers[-1]
    param = definition.param
    context = LayerContext(backend, phase, seed, definition.place, settings or Settings())
    layer = layer_class(param.type)(param, context)
    bottom = [_filled(backend, array) for array in bottoms]
    top = [bottom[list(param.bottom).index(name)] if name in param.bottom else Blob(backend)
           for name in param.top]
    if layer.is_loss and not top:
        top.append(Blob(backend))
    assert len(bottom) in layer.bottoms, f"{param.type} takes {layer.bottoms} bottoms"
    assert len(top) in layer.tops, f"{param.type} makes {layer.tops} tops"
    for alias in layer.aliases(param):
        top[alias.top].share_data(bottom[alias.bottom])
        if alias.diff:
            top[alias.top].share_diff(bottom[alias.bottom])
    layer.setup(bottom, top)
    layer.reshape(bottom, top)
    implicit = [1.0 if layer.is_loss and i == 0 else 0.0 for i in range(len(top))]
    case = Case(layer, bottom, top, list(param.loss_weight) or implicit)
    case.set_loss_weights()
    return case


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


def _filled(backend: Backend, array: Any) -> Blob:
    array = np.asarray(array)
    blob = Blob(backend, array.shape)
    blob.host_data[...] = array
    return blob

