"""Running a test net in the middle of training. Source: Caffe's Solver (Test)."""
from __future__ import annotations

from collections.abc import Callable

from ..net.debug import debug_lines
from ..net.net import Net
from .report import MeanOutputs, read_outputs


def evaluate(net: Net, passes: int, goes_on: Callable[[], bool],
             debug: bool = False) -> MeanOutputs | None:
    """Return the means of a net's outputs and loss over forward passes.

    Args:
        net: the test net.
        passes: how many.
        goes_on: asked before each pass; if it returns False, the result is None.
        debug: log the magnitudes of all blobs.
    """
    means = MeanOutputs()
    with debug_lines(net, debug):
        for _ in range(passes):
            if not goes_on():
                return None
            loss = net.forward()
            means.add(read_outputs(net), loss)
    return means
