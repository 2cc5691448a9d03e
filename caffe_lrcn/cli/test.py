"""``caffe-lrcn test``: runs a trained net on its data and prints its mean outputs."""
from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..caffe_tools.program import split_list, start_log
from ..errors import UsageError
from . import runtime

if TYPE_CHECKING:
    from ..net.net import Net


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--model", required=True, metavar="FILE", help="the net definition")
    parser.add_argument("--weights", required=True, metavar="A,B",
                        help="weights, copied by layer name")
    parser.add_argument("--iterations", type=int, default=50, metavar="N",
                        help="forward passes (default 50)")
    runtime.add_device_flags(parser)
    runtime.add_net_flags(parser)
    runtime.add_set_flag(parser)
    runtime.add_verbose_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Test; return the exit code."""
    if args.iterations < 1:
        raise UsageError("--iterations must be 1 or more", got=args.iterations)
    brief = not runtime.is_verbose(args)
    start_log(args, brief)
    from .. import glog
    from ..layer_types.base import TEST
    from ..solver.progress import ProgressLine
    from ..solver.report import MeanOutputs, read_outputs
    net = runtime.open_net(args, TEST)
    try:
        _load_weights(net, split_list(args.weights))
        glog.info(f"Running for {args.iterations} iterations.")
        means = MeanOutputs()
        progress = ProgressLine(sys.stderr, args.iterations, plain=brief)
        for batch in range(args.iterations):
            with runtime.quiet_arithmetic():
                loss = net.forward()
            outputs = read_outputs(net)
            means.add(outputs, loss)
            for output in outputs:
                glog.info(f"Batch {batch}, {output.name} = {output.value:g}")
            if progress.is_due():
                progress.show(batch + 1, means.loss)
        progress.close()
    finally:
        net.close()
    for line in (f"Loss: {means.loss:g}", *map(str, means.outputs)):
        glog.info(line)
        if brief:
            print(line)
    return 0


def _load_weights(net: Net, paths: list[str]) -> None:
    """Copy weights into ``net`` and log what went where; warn if layers got none."""
    from .. import glog
    from ..net.weights import warn_of_missing
    if not paths:
        raise UsageError("--weights names no file")
    reports = [net.copy_trained_layers_from(path) for path in paths]
    for report in reports:
        for line in report.lines():
            glog.info(line)
    warn_of_missing(reports)
