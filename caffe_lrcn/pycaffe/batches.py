"""Any number of samples through a net of fixed batch size. Source: pycaffe.py."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError, UsageError

if TYPE_CHECKING:
    from .net import Net

Arrays = dict[str, np.ndarray]


def split(net: Net, blobs: Mapping[str, Any]) -> Iterator[Arrays]:
    """Yield consecutive batches of arrays; the last is filled up with zeros.

    A batch is as long as axis 0 of the net's first blob.

    Raises:
        UsageError: the arrays differ in length.
    """
    arrays = {name: np.asarray(values) for name, values in blobs.items()}
    if not arrays:
        return
    count = _count(arrays)
    size = next(iter(net.blobs.values())).num
    for start in range(0, count, size):
        batch = {name: array[start:start + size] for name, array in arrays.items()}
        missing = start + size - count
        if missing > 0:
            batch = {name: np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)])
                     for name, rows in batch.items()}
        yield batch


def forward_all(net: Net, blobs: Iterable[str] | None, inputs: Mapping[str, Any]) -> Arrays:
    """Run any number of samples forward.

    Args:
        blobs: names of further blobs to return.
        inputs: an array for each input blob, any number of samples long.

    Returns:
        Copies of the net's outputs and ``blobs``, one row per sample.

    Raises:
        UsageError: there are no arrays, or they do not match the net's inputs.
        ShapeError: a blob that is asked for does not have one row per sample.
    """
    collected: dict[str, list[np.ndarray]] = {}
    for batch in split(net, _needed(inputs)):
        _collect(collected, net.forward(blobs, None, None, **batch), batch)
    return _join(collected, inputs)


def forward_backward_all(net: Net, blobs: Iterable[str] | None, diffs: Iterable[str] | None,
                         arrays: Mapping[str, Any]) -> tuple[Arrays, Arrays]:
    """Run any number of samples forward and backward.

    Args:
        blobs, diffs: names of further blobs whose values and gradients to return.
        arrays: values of input blobs and gradients of output blobs.

    Returns:
        Copies of outputs and ``blobs``, and of the gradients of inputs and ``diffs``.

    Raises:
        UsageError: the arrays match neither inputs nor outputs of the net.
        ShapeError: a blob that is asked for does not have one row per sample.
    """
    _needed(arrays)
    unknown = set(arrays) - set(net.inputs) - set(net.outputs)
    if unknown:
        raise UsageError("the net has no such inputs and outputs", got=sorted(unknown),
                         wanted=[*net.inputs, *net.outputs])
    values = split(net, {name: arrays[name] for name in net.inputs if name in arrays})
    gradients = split(net, {name: arrays[name] for name in net.outputs if name in arrays})
    outs: dict[str, list[np.ndarray]] = {}
    grads: dict[str, list[np.ndarray]] = {}
    nothing: Arrays = {}
    for value, gradient in zip_longest(values, gradients, fillvalue=nothing):
        rows = value or gradient
        _collect(outs, net.forward(blobs, None, None, **value), rows)
        _collect(grads, net.backward(diffs, None, None, **gradient), rows)
    return _join(outs, arrays), _join(grads, arrays)


def _needed(arrays: Mapping[str, Any]) -> Mapping[str, Any]:
    if not arrays:
        raise UsageError("there are no arrays to run",
                         remedy="Give one for each input blob by its name.")
    return arrays


def _count(arrays: Mapping[str, Any]) -> int:
    counts = {name: len(values) for name, values in arrays.items()}
    if len(set(counts.values())) > 1:
        raise UsageError("the arrays differ in their number of samples", got=counts)
    return next(iter(counts.values()))


def _collect(collected: dict[str, list[np.ndarray]], results: Arrays, batch: Arrays) -> None:
    size = len(next(iter(batch.values())))
    for name, values in results.items():
        if values.shape[:1] != (size,):
            raise ShapeError(
                f"the rows of '{name}' are not samples, so batches of it cannot be put together",
                got=values.shape, wanted=f"({size}, ...)",
                remedy="Recurrent outputs are T x N, losses are scalars: call forward for each "
                       "batch instead.")
        collected.setdefault(name, []).append(values.copy())


def _join(collected: dict[str, list[np.ndarray]], arrays: Mapping[str, Any]) -> Arrays:
    count = _count(arrays)
    return {name: np.concatenate(parts)[:count] for name, parts in collected.items()}
