"""Layers whose parameters stay as they are."""
from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..proto import caffe_pb2

if TYPE_CHECKING:
    from .net import Net


def is_frozen(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a layer's name matches one of the patterns, such as ``conv*``."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def freeze(param: caffe_pb2.LayerParameter, count: int) -> None:
    """Give each of a layer's ``count`` parameters ``lr_mult: 0``."""
    while len(param.param) < count:
        param.param.add()
    for spec in param.param:
        spec.lr_mult = 0


def frozen_layers(net: Net) -> list[str]:
    """Return the layers of a net that its settings freeze.

    Raises:
        UsageError: a pattern matches no layer that has parameters.
    """
    patterns = net.settings.frozen
    names = [layer.name for layer in net.layers if layer.blobs]
    for pattern in patterns:
        if not any(is_frozen(name, [pattern]) for name in names):
            raise UsageError("--freeze matches no layer that has parameters", got=pattern,
                             wanted=", ".join(names))
    return [name for name in names if is_frozen(name, patterns)]
