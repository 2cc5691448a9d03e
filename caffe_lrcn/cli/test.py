"""``caffe-lrcn test``: runs a trained net on its data and prints its mean outputs."""
from __future__ import annotations

import argparse

from ..errors import UsageError
from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--model", required=True, metavar="FILE", help="the net definition")
    parser.add_argument("--weights", required=True, metavar="A,B",
                        help="weights, copied by layer name")
    parser.add_argument("--iterations", type=int, default=50, metavar="N",
                        help="forward passes (default 50)")
    runtime.add_device_flags(parser)
    runtime.add_net_flags(parser)
    runtime.add_log_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Test; return the exit code."""
    if args.iterations < 1:
        raise UsageError("--iterations must be 1 or more", got=args.iterations)
    runtime.start_log(args)
    from .. import log
    from ..layer_types.base import TEST, Settings
    from ..net.net import Net
    from ..proto.text import read_net
    from ..solver.report import MeanOutputs, read_outputs
    backend = runtime.open_backend(args)
    net = Net(read_net(args.model), backend, phase=TEST, level=args.level,
              stages=runtime.stages(args), settings=Settings(workers=args.workers))
    try:
        for path in runtime.split_list(args.weights):
            for line in net.copy_trained_layers_from(path).lines():
                log.info(line)
        log.info(f"Running for {args.iterations} iterations.")
        means = MeanOutputs()
        for batch in range(args.iterations):
            loss = net.forward()
            outputs = read_outputs(net)
            means.add(outputs, loss)
            for output in outputs:
                log.info(f"Batch {batch}, {output.name} = {output.value:g}")
    finally:
        net.close()
    log.info(f"Loss: {means.loss:g}")
    for output in means.outputs:
        log.info(str(output))
    return 0
