"""``caffe-lrcn time``: how long each layer's forward and backward passes take."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..caffe_tools.program import split_list, start_log
from ..errors import UsageError
from . import runtime

if TYPE_CHECKING:
    from ..net.build import Node
    from ..net.net import Net


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--model", required=True, metavar="FILE", help="the net definition")
    parser.add_argument("--weights", default="", metavar="A,B",
                        help="weights, copied by layer name")
    parser.add_argument("--phase", choices=("TRAIN", "TEST"), default="TRAIN",
                        help="phase of the net (default TRAIN)")
    parser.add_argument("--iterations", type=int, default=50, metavar="N",
                        help="timed forward and backward passes (default 50)")
    runtime.add_device_flags(parser)
    runtime.add_net_flags(parser)
    runtime.add_set_flag(parser)
    runtime.add_verbose_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Time the net; return the exit code."""
    if args.iterations < 1:
        raise UsageError("--iterations must be 1 or more", got=args.iterations)
    brief = not runtime.is_verbose(args)
    start_log(args, brief)
    from .. import glog
    from ..proto import caffe_pb2
    net = runtime.open_net(args, caffe_pb2.Phase.Value(args.phase))
    try:
        for path in split_list(args.weights):
            for line in net.copy_trained_layers_from(path).lines():
                glog.info(line)
        with runtime.quiet_arithmetic():
            stopwatch = _benchmark(net, args.iterations, brief)
    finally:
        net.close()
    if brief:
        print("\n".join(table(net, stopwatch, args.iterations)))
    return 0


def _benchmark(net: Net, iterations: int, brief: bool) -> Stopwatch:
    from .. import glog
    from ..solver.progress import ProgressLine
    progress = ProgressLine(sys.stderr, iterations, plain=brief)
    stopwatch = Stopwatch(net.backend)
    glog.info("Performing Forward")
    glog.info(f"Initial loss: {net.forward():g}")
    glog.info("Performing Backward")
    for node in reversed(net.nodes):
        backward(node)
    glog.info("*** Benchmark begins ***")
    glog.info(f"Testing for {iterations} iterations.")
    waited = data_waits(net)
    for iteration in range(1, iterations + 1):
        before = stopwatch.total
        for index in range(len(net.nodes)):
            stopwatch.time(("forward", index), partial(net.forward, index, index))
        for index in reversed(range(len(net.nodes))):
            stopwatch.time(("backward", index), partial(backward, net.nodes[index]))
        glog.info(f"Iteration: {iteration} forward-backward time: "
                 f"{stopwatch.total - before:g} ms.")
        if progress.is_due():
            progress.show(iteration)
    progress.close()
    stopwatch.waits = [1000 * (now - then) for now, then
                       in zip(data_waits(net), waited, strict=True)]
    for line in report(net.layer_names, stopwatch, iterations):
        glog.info(line)
    return stopwatch


def backward(node: Node) -> None:
    """Run a layer's backward pass, as training would, whether or not anybody needs it.

    Layers without gradient (ArgMax, Threshold) are left out, where Caffe ends with an error.
    """
    from ..layer_types import Layer
    if type(node.layer).backward is not Layer.backward:
        node.layer.backward(node.top, node.propagate_down, node.bottom)


def data_waits(net: Net) -> list[float]:
    """Return how long each layer that reads data has waited for batches so far, in seconds."""
    from ..layer_types.common.source import SourceLayer
    return [layer.waited for layer in net.layers if isinstance(layer, SourceLayer)]


class Stopwatch:
    """Sums up times in milliseconds, by name; waits for a GPU to finish.

    Attributes:
        waits: the part of the times for which each layer that reads data waited for them.
    """

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.waits: list[float] = []
        self.sums: dict[tuple[str, int], float] = {}

    @property
    def total(self) -> float:
        """All times together."""
        return sum(self.sums.values())

    def time(self, name: tuple[str, int], work: Callable[[], object]) -> None:
        """Do ``work`` and add its time to ``name``."""
        start = perf_counter()
        work()
        if self.backend.is_gpu:
            with self.backend.device:
                self.backend.xp.cuda.get_current_stream().synchronize()
        self.sums[name] = self.sums.get(name, 0.0) + 1000 * (perf_counter() - start)

    def sum(self, direction: str) -> float:
        """Return the times of all layers in one direction."""
        return sum(value for (way, _), value in self.sums.items() if way == direction)


def table(net: Net, stopwatch: Stopwatch, iterations: int) -> list[str]:
    """Return a table of the layers' mean times, with their share of the whole."""
    whole = stopwatch.total or 1.0
    rows = [("layer", "type", "forward ms", "backward ms", "share")]
    for index, layer in enumerate(net.layers):
        forward, backward = (stopwatch.sums[way, index] for way in ("forward", "backward"))
        rows.append((layer.name, layer.param.type, f"{forward / iterations:.3f}",
                     f"{backward / iterations:.3f}", f"{(forward + backward) / whole:.1%}"))
    passes = [stopwatch.sum(way) / iterations for way in ("forward", "backward")]
    rows.append(("all", "", *(f"{value:.3f}" for value in passes), "100.0%"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" if index < 2 else f"{cell:>{width}}"
                       for index, (cell, width) in enumerate(zip(row, widths, strict=True)))
             for row in rows]
    waiting = sum(stopwatch.waits) / iterations
    data = f", {waiting:.3f} ms of it ({waiting * iterations / whole:.1%}) waiting for data"
    return [*lines, f"means of {iterations} passes; forward and backward together "
                    f"{sum(passes):.3f} ms{data if stopwatch.waits else ''}"]


def report(layers: Iterable[str], stopwatch: Stopwatch, iterations: int) -> list[str]:
    """Return the closing lines: means of layers and passes, the total.

    Source: Caffe's ``caffe time``.
    """
    lines = ["Average time per layer: "]
    for index, name in enumerate(layers):
        for way in ("forward", "backward"):
            mean = stopwatch.sums[way, index] / iterations
            lines.append(f"{name:>10}\t{way}: {mean:g} ms.")
    passes = [stopwatch.sum(way) / iterations for way in ("forward", "backward")]
    return lines + [f"Average Forward pass: {passes[0]:g} ms.",
                    f"Average Backward pass: {passes[1]:g} ms.",
                    f"Average Forward-Backward: {sum(passes):g} ms.",
                    f"Total Time: {stopwatch.total:g} ms.", "*** Benchmark ends ***"]
