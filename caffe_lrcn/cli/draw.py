"""``caffe-lrcn draw``: a picture of a net."""
from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..collection import paused_collection
from ..printable import printable
from . import runtime

if TYPE_CHECKING:
    from ..net.build import Step
    from ..proto.text import NetDef


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("net", metavar="NET", help="a net definition")
    parser.add_argument("out", metavar="OUT", help="the picture: .svg, .png or .txt; "
                        "- prints the last of these")
    parser.add_argument("--phase", choices=("TRAIN", "TEST", "ALL"), default="TEST",
                        help="which layers to draw (default TEST; ALL: whatever their rules)")
    parser.add_argument("--level", type=int, default=0, help="level of the net's state")
    parser.add_argument("--stage", default="", metavar="A,B",
                        help="stages of the net's state, with commas between (those of the solver "
                             "beside the net)")
    runtime.add_set_flag(parser)
    parser.add_argument("--rankdir", choices=("TB", "LR", "BT", "RL"), default="TB",
                        help="where arrows point (default TB: down)")
    parser.add_argument("--all_blobs", action="store_true",
                        help="show all blobs, also those that are called like their layer")
    parser.add_argument("--display_lrm", action="store_true",
                        help="show learning rate multipliers")


@paused_collection()
def run(args: argparse.Namespace) -> int:
    """Draw the net; return the exit code."""
    from ..drawing.graph import build_graph
    from ..drawing.render import extension_of, render, save
    from ..paths import resolve
    from ..proto.text import read_net
    from .overrides import change_net
    path = resolve(args.net)
    definition = read_net(path)
    change_net(definition, args.set)
    layers, shapes = definition.layers, None
    if args.phase != "ALL":
        steps = _steps(args, path, definition)
        layers, shapes = [step.definition for step in steps], [step.tops for step in steps]
    graph = build_graph(definition.param.name, [layer.param for layer in layers], shapes,
                        compact=not args.all_blobs, display_lrm=args.display_lrm)
    extension = "txt" if args.out == "-" else extension_of(args.out)
    picture = render(graph, extension, args.rankdir)
    if args.out == "-":
        sys.stdout.write(picture.decode())
        return 0
    save(args.out, picture)
    print(f"Drew {len(layers)} layers to {args.out}")
    return 0


def _steps(args: argparse.Namespace, path: str, definition: NetDef) -> list[Step]:
    """Return the layers of the variant to draw, with the shapes that can be told.

    Raises:
        UsageError: there are none.
    """
    from ..errors import UsageError
    from ..inspection.look import look_at, variant_name
    from ..inspection.problems import ERROR
    from ..net.filter import named_stages
    state = runtime.seen_state(args, path, definition)
    look = look_at(definition, state)
    named = named_stages(definition.layers)
    stages = f"Its rules name the stages {', '.join(named)}: " if named else ""
    if not look.steps:
        raise UsageError(
            "the net has no layer to draw", where=path, got=variant_name(state),
            remedy=f"{stages}set some with --stage, take another --phase, or draw all layers with "
                   "--phase ALL." if definition.layers else None)
    errors = sum(problem.severity == ERROR for problem in look.problems)
    if errors:
        print(f"note: {printable(path)} cannot run as it is drawn ({variant_name(state)}): "
              f"'caffe-lrcn summary' lists {errors} error{'' if errors == 1 else 's'}. "
              f"{stages and stages + '--stage sets them.'}".rstrip(), file=sys.stderr)
    return look.steps
