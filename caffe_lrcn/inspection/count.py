"""What a net costs: parameters, multiply-adds and activation memory, layer by layer."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..blob import Blob
from ..layer_types import Layer
from ..proto import caffe_pb2
from .data_shapes import Shape
from .dry_run import Step

_FLOAT = 4  # bytes
_W_STATIC = 2  # where recurrent layers keep the matrix of their static input


@dataclass(frozen=True)
class Cost:
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


def count(steps: Iterable[Step]) -> list[Cost]:
    """Return the cost of each layer; those that could not be set up cost nothing."""
    shared: set[str] = set()
    costs = []
    for step in steps:
        param = step.definition.param
        outputs = [shape for shape in step.tops if shape is not None]
        parameters = sum(math.prod(shape) for index, shape in enumerate(step.params)
                         if not _is_repeated(param, index, shared))
        known = step.layer is not None and len(outputs) == len(step.tops)
        formula = _MULTIPLY_ADDS.get(param.type) if known else None
        costs.append(Cost(param.name, param.type, outputs, parameters,
                          formula(step) if formula else 0, _activations(step)))
    return costs


def total(costs: Iterable[Cost]) -> dict[str, int]:
    """Return the sums over the layers."""
    costs = list(costs)
    return {name: sum(getattr(cost, name) for cost in costs)
            for name in ("parameters", "multiply_adds", "activations")}


def _is_repeated(param: caffe_pb2.LayerParameter, index: int, seen: set[str]) -> bool:
    name = param.param[index].name if index < len(param.param) else ""
    repeated = bool(name) and name in seen
    seen.add(name)
    return repeated


def _activations(step: Step) -> int:
    param = step.definition.param
    aliased = ({alias.top for alias in step.layer.aliases(param)} if step.layer else set())
    own = [shape for index, shape in enumerate(step.tops)
           if shape is not None and index not in aliased and not _is_in_place(param, index)]
    return _FLOAT * (sum(map(math.prod, own)) + (_kept(step.layer) if step.layer else 0))


def _is_in_place(param: caffe_pb2.LayerParameter, index: int) -> bool:
    return (index < len(param.top) and index < len(param.bottom)
            and param.top[index] == param.bottom[index])


def _kept(layer: Layer) -> int:
    """Return how many numbers a layer keeps in blobs that are neither parameters nor tops."""
    blobs = {id(item): item.count for item in vars(layer).values() if isinstance(item, Blob)}
    return sum(blobs.values())


# Multiply-adds --------------------------------------------------------------------------------


def _convolution(step: Step) -> int:
    return sum(math.prod(shape or ()) for shape in step.tops) * math.prod(step.params[0][1:])


def _deconvolution(step: Step) -> int:
    return sum(math.prod(shape or ()) for shape in step.bottoms) * math.prod(step.params[0][1:])


def _inner_product(step: Step) -> int:
    outputs = step.definition.param.inner_product_param.num_output
    return math.prod(step.tops[0] or ()) // outputs * math.prod(step.params[0])


def _recurrent(step: Step) -> int:
    """Count each matrix once a step and stream, that of the static input once a stream."""
    steps, streams = (step.tops[0] or (0, 0))[:2]
    matrices = [(index, math.prod(shape)) for index, shape in enumerate(step.params)
                if len(shape) == 2]
    static = _W_STATIC if getattr(step.layer, "has_static", False) else None
    return sum(streams * size * (1 if index == static else steps) for index, size in matrices)


def _lrn(step: Step) -> int:
    param = step.definition.param.lrn_param
    within = param.norm_region == caffe_pb2.LRNParameter.WITHIN_CHANNEL
    return math.prod(step.tops[0] or ()) * param.local_size ** (2 if within else 1)


def _each(step: Step) -> int:
    return math.prod(step.tops[0] or ())


def _each_pair(step: Step) -> int:
    return math.prod(step.tops[0] or ()) * (len(step.bottoms) - 1)


# Types that are missing look up, compare or copy numbers, or cost next to nothing.
_MULTIPLY_ADDS: dict[str, Callable[[Step], int]] = {
    "BatchNorm": _each,
    "Convolution": _convolution,
    "Deconvolution": _deconvolution,
    "Eltwise": _each_pair,
    "GRU": _recurrent,
    "InnerProduct": _inner_product,
    "LRN": _lrn,
    "LSTM": _recurrent,
    "RNN": _recurrent,
    "Scale": _each,
}
