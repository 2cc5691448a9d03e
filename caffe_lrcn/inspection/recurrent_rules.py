"""What nets with recurrent layers often get wrong although every layer can be set up.

Sequences are time-major: T steps of N streams, (T, N, ...).
"""
from __future__ import annotations

from collections.abc import Iterator

from ..net.build import Step
from ..proto.text import LayerDef
from .data_shapes import RECURRENT
from .look import Look
from .problems import ERROR, NOTE, WARNING, Problem

#: Type -> the field whose axis should be 2, where (T, N, C) comes in.
_AXIS_OWNERS = {"InnerProduct": "inner_product_param", "Softmax": "softmax_param",
                "SoftmaxWithLoss": "softmax_param", "Accuracy": "accuracy_param"}


def check_recurrent(look: Look) -> list[Problem]:
    """Return findings about axes, time-major order and sizes written as numbers."""
    if not any(step.definition.param.type in RECURRENT for step in look.steps):
        return []
    return [*_transposed(look), *_scrambled(look), *_fixed_sizes(look), *_wrong_axes(look)]


def _transposed(look: Look) -> Iterator[Problem]:
    """Compare the sizes that Reshape layers write for the input and cont of one layer.

    If all shapes are known, setting up the layer has said so already.
    """
    reshapes = {top: step.definition for step in look.steps for top in step.definition.param.top
                if step.definition.param.type == "Reshape"}
    for step in look.steps:
        param = step.definition.param
        if param.type not in RECURRENT or len(param.bottom) < 2 or None not in step.bottoms[:2]:
            continue
        x, cont = (reshapes.get(name) for name in param.bottom[:2])
        if x is None or cont is None:
            continue
        sizes, marks = _leading(x), _leading(cont)
        if len(sizes) == len(marks) == 2 and sizes == marks[::-1] and sizes != marks:
            yield _problem(ERROR, cont, ("reshape_param", "shape"),
                           f"cont of layer '{param.name}' becomes {marks[0]} x {marks[1]}, but its "
                           f"input {sizes[0]} x {sizes[1]}. Time comes first: both are T x N")


def _scrambled(look: Look) -> Iterator[Problem]:
    """Find Reshape layers that are to turn N x T round, which they cannot."""
    feeds = {name for step in look.steps if step.definition.param.type in RECURRENT
             for name in step.definition.param.bottom}
    for step in look.steps:
        if step.definition.param.type != "Reshape" or not set(step.definition.param.top) & feeds:
            continue
        before, after = ((shape or ())[:2] for shape in (step.bottoms[0], step.tops[0]))
        if len(after) == 2 and before == after[::-1] != after:
            yield _problem(WARNING, step.definition, ("reshape_param", "shape"),
                           f"{before[0]} x {before[1]} becomes {after[0]} x {after[1]}, but a "
                           "Reshape keeps the order of the numbers and transposes nothing. "
                           "Steps and streams are mixed up: bring the data as T x N")


def _fixed_sizes(look: Look) -> Iterator[Problem]:
    sequences = set(_sequences(look))
    feeds = {name for step in look.steps if step.definition.param.type in RECURRENT
             for name in step.definition.param.bottom}
    for step in look.steps:
        param = step.definition.param
        dims = _leading(step.definition) if param.type == "Reshape" else []
        touches = set(param.top) & feeds or set(param.bottom) & sequences
        if len(dims) < 2 or not touches or min(dims) <= 0:
            continue
        yield _problem(NOTE, step.definition, ("reshape_param", "shape"),
                       f"{dims[0]} x {dims[1]} are written as numbers: the net fits batches of "
                       f"{dims[0] * dims[1]} only. With -1 for the first it takes any number of "
                       "steps, with -1 for the second any number of streams")


def _wrong_axes(look: Look) -> Iterator[Problem]:
    sequences = _sequences(look)
    for step in look.steps:
        param = step.definition.param
        owner = _AXIS_OWNERS.get(param.type)
        if not owner or not step.bottoms or param.bottom[0] not in sequences:
            continue
        shape = step.bottoms[0]
        if shape is None or len(shape) < 3 or getattr(param, owner).axis != 1:
            continue
        effect = (f"the {shape[1]} streams of a step are joined to one vector"
                  if param.type == "InnerProduct" else
                  f"the {shape[1]} streams are taken for classes")
        yield _problem(WARNING, step.definition, (owner,),
                       f"its bottom is (T, N, ...) = {shape} and the axis 1: {effect}. "
                       f"Write {owner} {{ axis: 2 }}")


def _sequences(look: Look) -> set[str]:
    """Return the blobs that are (T, N, ...) because a recurrent layer made or takes them."""
    found: dict[str, tuple[int, ...]] = {}
    for step in look.steps:
        for name, shape in zip(step.definition.param.top, step.tops, strict=False):
            if shape and len(shape) >= 2 and (_is_recurrent_output(step, name)
                                              or _continues(step, shape, found)):
                found[name] = shape[:2]
    return set(found)


def _is_recurrent_output(step: Step, top: str) -> bool:
    param = step.definition.param
    return param.type in RECURRENT and top == param.top[0]


def _continues(step: Step, shape: tuple[int, ...], found: dict[str, tuple[int, ...]]) -> bool:
    return any(found.get(name) == shape[:2] for name in step.definition.param.bottom)


def _leading(layer: LayerDef) -> list[int]:
    """Return the first two sizes that a Reshape writes, if it replaces the first axes."""
    reshape = layer.param.reshape_param
    return list(reshape.shape.dim[:2]) if reshape.axis == 0 else []


def _problem(severity: str, layer: LayerDef, path: tuple[str, ...], text: str) -> Problem:
    return Problem(severity, layer.place.at(*path), f"layer '{layer.param.name}': {text}")
