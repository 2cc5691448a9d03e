"""Gradients spoiled on purpose, for layers whose backward pass is no single op."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from caffe_lrcn.layer_types.base import Layer


def spoiled(change: Callable[..., Any]) -> Callable[[Layer], None]:
    """Return a ``mutate`` that runs ``change(top, bottom)`` after a backward pass."""
    def mutate(layer: Layer) -> None:
        backward = layer.backward

        def broken(top, propagate_down, bottom):
            backward(top, propagate_down, bottom)
            if any(propagate_down):
                change(top, bottom)
        layer.backward = broken
    return mutate
