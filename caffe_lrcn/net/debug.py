"""Log lines with the mean magnitude of every blob, as ``debug_info`` asks for.

Source: Caffe's Net (ForwardDebugInfo, BackwardDebugInfo).
"""
from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from .. import glog

if TYPE_CHECKING:
    from .net import Net


@contextmanager
def debug_lines(net: Net, enabled: bool = True) -> Iterator[None]:
    """Log a line for every blob that a pass of ``net`` computes while the block runs."""
    if not enabled:
        yield
        return

    def after_forward(index: int) -> None:
        for line in forward_lines(net, index):
            glog.info(line)

    def after_backward(index: int) -> None:
        for line in backward_lines(net, index):
            glog.info(line)
        if index == 0:
            # CAFFE-QUIRK: the summary has the severity of an error.
            glog.error(summary_line(net))

    net.after_forward.append(after_forward)
    net.after_backward.append(after_backward)
    try:
        yield
    finally:
        net.after_forward.remove(after_forward)
        net.after_backward.remove(after_backward)


def forward_lines(net: Net, index: int) -> list[str]:
    """Return the lines of layer ``index`` after its forward pass."""
    node = net.nodes[index]
    start = f"    [Forward] Layer {node.layer.name}, "
    lines = [f"{start}top blob {name} data: {mean_magnitude(blob.read_data()):g}"
             for name, blob in zip(node.top_names, node.top, strict=True)]
    for number, blob in enumerate(node.layer.blobs):
        specs = node.layer.param.param
        name = (specs[number].name if number < len(specs) else "") or str(number)
        lines.append(f"{start}param blob {name} data: {mean_magnitude(blob.read_data()):g}")
    return lines


def backward_lines(net: Net, index: int) -> list[str]:
    """Return the lines of layer ``index`` after its backward pass: gradients that it computed."""
    node = net.nodes[index]
    if not node.needs_backward:
        return []
    start = f"    [Backward] Layer {node.layer.name}, "
    lines = [f"{start}bottom blob {name} diff: {mean_magnitude(blob.read_diff()):g}"
             for name, blob, wanted in zip(node.bottom_names, node.bottom, node.propagate_down,
                                           strict=True) if wanted]
    lines += [f"{start}param blob {number} diff: {mean_magnitude(blob.read_diff()):g}"
              for number, blob in enumerate(node.layer.blobs)
              if node.layer.wants_param_diff(number)]
    return lines


def summary_line(net: Net) -> str:
    """Return the L1 and L2 norms over all learnable parameters, of values and gradients."""
    values = [blob.read_data() for blob in net.learnable_params]
    grads = [blob.read_diff() for blob in net.learnable_params]
    l1 = [sum(float(np.abs(array).sum(dtype=np.float64)) for array in arrays)
          for arrays in (values, grads)]
    l2 = [math.sqrt(sum(float(np.square(array, dtype=np.float64).sum()) for array in arrays))
          for arrays in (values, grads)]
    return ("    [Backward] All net params (data, diff): "
            f"L1 norm = ({l1[0]:g}, {l1[1]:g}); L2 norm = ({l2[0]:g}, {l2[1]:g})")


def mean_magnitude(array: np.ndarray) -> float:
    """Return the mean of ``|x|``, 0 of an empty array."""
    return float(np.abs(array).sum(dtype=np.float64)) / max(1, array.size)
