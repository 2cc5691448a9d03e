#!/usr/bin/env python3
"""Draw a net: draw_net.py INPUT_NET OUTPUT_PICTURE [flags].

OUTPUT_PICTURE ends in .svg, .png or .txt. `caffe-lrcn draw` knows levels and stages, too.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the flags of Caffe's draw_net.py."""
    flags = Parser(__doc__)
    flags.add_argument("input_net_proto_file")
    flags.add_argument("output_image_file")
    flags.add_argument("--rankdir", default="LR", choices=("TB", "BT", "LR", "RL"),
                       help="where arrows point (default LR: to the right)")
    flags.add_argument("--phase", default="ALL", choices=("ALL", "TRAIN", "TEST"),
                       help="which layers to draw (default ALL)")
    flags.add_switch("display_lrm", "show learning rate multipliers")
    return flags


def work(args: argparse.Namespace) -> None:
    """Draw the net."""
    from caffe_lrcn.errors import UsageError
    from caffe_lrcn.proto.caffe_pb2 import Phase
    from caffe_lrcn.proto.text import read_net
    from caffe_lrcn.pycaffe.draw import draw_net_to_file
    net = read_net(args.input_net_proto_file).param
    phase = None if args.phase == "ALL" else Phase.Value(args.phase)
    print(f"Drawing net to {args.output_image_file}")
    try:
        draw_net_to_file(net, args.output_image_file, args.rankdir, phase, args.display_lrm)
    except OSError as error:
        raise UsageError("the picture cannot be written", where=args.output_image_file,
                         got=error.strerror) from None


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
