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
    size = _batch_size(net)
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
        Copies of the net's outputs and ``blobs``, the batches one after the other along axis 0: one
        row per sample, or for recurrent outputs T rows of N streams per batch of T*N samples.

    Raises:
        UsageError: there are no arrays, or they do not match the net's inputs.
        ShapeError: a blob that is asked for has no rows; or its rows are not samples, and the last
            batch is not full, so that nobody knows which of them are padding.
    """
    collected: dict[str, list[np.ndarray]] = {}
    size, count = _batch_size(net), _count(_needed(inputs))
    for batch in split(net, inputs):
        _collect(collected, net.forward(blobs, None, None, **batch), size, count)
    return _join(collected, size, count)


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
        ShapeError: as for ``forward_all``.
    """
    size, count = _batch_size(net), _count(_needed(arrays))
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
        _collect(outs, net.forward(blobs, None, None, **value), size, count)
        _collect(grads, net.backward(diffs, None, None, **gradient), size, count)
    return _join(outs, size, count), _join(grads, size, count)


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


def _batch_size(net: Net) -> int:
    return next(iter(net.blobs.values())).num


def _collect(collected: dict[str, list[np.ndarray]], results: Arrays, size: int,
             count: int) -> None:
    """Append copies of what a batch of ``size`` samples, of ``count`` in all, gave."""
    for name, values in results.items():
        if values.shape == () or (len(values) != size and count % size):
            raise ShapeError(
                f"the rows of '{name}' are not samples, so batches of it cannot be put together",
                got=values.shape, wanted=f"({size}, ...)",
                remedy="Call forward for each batch instead." if values.shape == () else
                       f"Recurrent outputs are T x N: give a multiple of {size} samples instead "
                       f"of {count}, or call forward for each batch.")
        collected.setdefault(name, []).append(values.copy())


def _join(collected: dict[str, list[np.ndarray]], size: int, count: int) -> Arrays:
    """Join batches, and leave out the rows that fill up the last one."""
    stop = count if count % size else None
    return {name: np.concatenate(parts)[:stop] for name, parts in collected.items()}
