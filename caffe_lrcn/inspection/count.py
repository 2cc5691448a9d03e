"""What a net costs: parameters, multiply-adds and activation memory, layer by layer."""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..net.build import Step
from ..net.collect import Shape
from ..proto import caffe_pb2

_FLOAT = 4  # bytes


@dataclass(frozen=True)
class LayerCost:
    """One layer.

    Args:
        layer, type: its name and type.
        outputs: shapes of its tops.
        parameters: numbers in its parameters; those of a layer before it are not counted again.
        multiply_adds: products that are summed up in one forward pass.
        activations: bytes of the tops that have memory of their own, and of what the layer keeps
            for the backward pass; without gradients.
    """

    layer: str
    type: str
    outputs: list[Shape]
    parameters: int
    multiply_adds: int
    activations: int


def count(steps: Iterable[Step]) -> list[LayerCost]:
    """Return the cost of each layer; one that could not be set up has the memory of its tops."""
    shared: set[str] = set()
    costs = []
    for step in steps:
        param, node = step.definition.param, step.node
        outputs = [shape for shape in step.tops if shape is not None]
        blobs = node.layer.blobs if node else []
        parameters = sum(blob.count for index, blob in enumerate(blobs)
                         if not _is_repeated(param, index, shared))
        if node and len(outputs) == len(step.tops):
            cost = node.layer.cost(node.bottom, node.top)
            multiply_adds, activations = cost.multiply_adds, cost.activations
        else:
            multiply_adds, activations = 0, sum(map(math.prod, outputs))
        costs.append(LayerCost(param.name, param.type, outputs, parameters, multiply_adds,
                               _FLOAT * activations))
    return costs


def total(costs: Iterable[LayerCost]) -> dict[str, int]:
    """Return the sums over the layers."""
    costs = list(costs)
    return {name: sum(getattr(cost, name) for cost in costs)
            for name in ("parameters", "multiply_adds", "activations")}


def _is_repeated(param: caffe_pb2.LayerParameter, index: int, seen: set[str]) -> bool:
    name = param.param[index].name if index < len(param.param) else ""
    repeated = bool(name) and name in seen
    seen.add(name)
    return repeated
