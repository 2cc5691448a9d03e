"""``caffe-lrcn draw``: a picture of a net."""
from __future__ import annotations

import argparse
import sys

from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("net", metavar="NET", help="a net definition")
    parser.add_argument("out", metavar="OUT", help="the picture: .svg, .png or .txt; "
                        "- prints the last of these")
    parser.add_argument("--phase", choices=("TRAIN", "TEST", "ALL"), default="TEST",
                        help="which layers to draw (default TEST; ALL: whatever their rules)")
    parser.add_argument("--level", type=int, default=0, help="level of the net's state")
    parser.add_argument("--stage", default="", metavar="A,B",
                        help="stages of the net's state, with commas between")
    parser.add_argument("--rankdir", choices=("TB", "LR", "BT", "RL"), default="TB",
                        help="where arrows point (default TB: down)")
    parser.add_argument("--all_blobs", action="store_true",
                        help="show all blobs, also those that are called like their layer")
    parser.add_argument("--display_lrm", action="store_true",
                        help="show learning rate multipliers")


def run(args: argparse.Namespace) -> int:
    """Draw the net; return the exit code."""
    from ..drawing.graph import build_graph
    from ..drawing.render import extension_of, render, save
    from ..net.filter import filter_layers, make_state
    from ..paths import resolve
    from ..proto import caffe_pb2
    from ..proto.text import read_net
    definition = read_net(resolve(args.net))
    layers = definition.layers
    if args.phase != "ALL":
        state = make_state(caffe_pb2.Phase.Value(args.phase), args.level, runtime.stages(args),
                           definition.param.state)
        layers = filter_layers(layers, state)
    graph = build_graph(definition.param.name, [layer.param for layer in layers],
                        compact=not args.all_blobs, display_lrm=args.display_lrm)
    extension = "txt" if args.out == "-" else extension_of(args.out)
    picture = render(graph, extension, args.rankdir)
    if args.out == "-":
        sys.stdout.write(picture.decode())
        return 0
    save(args.out, picture)
    print(f"Drew {len(layers)} layers to {args.out}")
    return 0
