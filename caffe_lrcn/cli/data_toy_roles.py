"""``caffe-lrcn data toy-roles``: generate clips with roles and sentences for video description."""
from __future__ import annotations

import argparse
from pathlib import Path

from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--out", required=True, type=Path,
                        help="folder to make; it must not exist yet")
    parser.add_argument("--groups", type=int, default=25, metavar="N",
                        help="kitchens; 5 of 25 are for testing, 3 for validation (%(default)s)")
    parser.add_argument("--clips", type=int, default=40, metavar="N",
                        help="of each group (%(default)s)")
    parser.add_argument("--frames", type=int, default=24, metavar="N",
                        help="of each clip (%(default)s)")
    parser.add_argument("--side", type=int, default=64, metavar="PIXELS",
                        help="of the square frames (%(default)s)")
    parser.add_argument("--noise", type=float, default=0.2, metavar="SHARE",
                        help="of labels that the simulated recogniser gets wrong; 0: write no "
                             "noisy roles (%(default)s)")
    parser.add_argument("--no-videos", action="store_true",
                        help="roles and sentences only, which is fast: for many clips")
    parser.add_argument("--seed", type=int, default=1, help="of everything (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Write the data set; return the exit code."""
    from ..tasks.toy_roles.dataset import Extent, write_dataset
    write_dataset(args.out, Extent(args.groups, args.clips, args.frames, args.side,
                                   not args.no_videos),
                  args.seed, args.noise or None, runtime.report)
    return 0
