"""Draw a net: draw_net INPUT_NET OUTPUT_PICTURE [flags].

OUTPUT_PICTURE ends in .svg, .png or .txt. `caffe-lrcn draw` knows levels and stages, too.
"""
from __future__ import annotations

import argparse

from ..paths import resolve
from ..proto.caffe_pb2 import Phase
from ..proto.text import read_net
from ..pycaffe.draw import draw_net_to_file
from .program import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's draw_net.py."""
    parser.add_argument("input_net_proto_file")
    parser.add_argument("output_image_file")
    parser.add_argument("--rankdir", default="LR", choices=("TB", "BT", "LR", "RL"),
                        help="where arrows point (default LR: to the right)")
    parser.add_argument("--phase", default="ALL", choices=("ALL", "TRAIN", "TEST"),
                        help="which layers to draw (default ALL)")
    parser.add_switch("display_lrm", "show learning rate multipliers")


def run(args: argparse.Namespace) -> int:
    """Draw the net; return the exit code."""
    net = read_net(resolve(args.input_net_proto_file)).param
    phase = None if args.phase == "ALL" else Phase.Value(args.phase)
    print(f"Drawing net to {args.output_image_file}")
    draw_net_to_file(net, args.output_image_file, args.rankdir, phase, args.display_lrm)
    return 0
