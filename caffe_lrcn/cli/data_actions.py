"""``caffe-lrcn data toy-actions``: generate clips for activity recognition."""
from __future__ import annotations

import argparse
from pathlib import Path

from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--out", required=True, type=Path,
                        help="folder to make; it must not exist yet")
    parser.add_argument("--groups", type=int, default=96, metavar="N",
                        help="of each class; those of all classes with one number share things and "
                             "background; 7 of 25 are for testing (%(default)s)")
    parser.add_argument("--clips", type=int, default=1, metavar="N",
                        help="of each group (%(default)s)")
    parser.add_argument("--frames", type=int, default=24, metavar="N",
                        help="of each clip (%(default)s)")
    parser.add_argument("--side", type=int, default=64, metavar="PIXELS",
                        help="of the square frames (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of everything (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Write videos and lists; return the exit code."""
    from ..tasks.toy_actions.dataset import Extent, write_dataset
    write_dataset(args.out, Extent(args.groups, args.clips, args.frames, args.side), args.seed,
                  runtime.report)
    return 0
