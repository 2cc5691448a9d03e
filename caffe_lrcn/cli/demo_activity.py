"""``caffe-lrcn demo-activity``: activity recognition on generated clips, and a page to look at."""
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--out", type=Path, default=Path("out/demo-activity"),
                        help="folder of the page (%(default)s)")
    parser.add_argument("--groups", type=int, default=96, metavar="N",
                        help="generate so many clips of each class (%(default)s)")
    parser.add_argument("--method", choices=("dis", "brox"), default="dis",
                        help="of the optical flow: dis (OpenCV's) or brox (the paper's; several "
                             "minutes more) (%(default)s)")
    parser.add_argument("--single-iterations", type=int, metavar="N",
                        help="train the single-frame nets so long (as their solvers say)")
    parser.add_argument("--lrcn-iterations", type=int, metavar="N",
                        help="train the LRCNs so long (as their solvers say)")


def run(args: argparse.Namespace) -> int:
    """Run the demonstration; return the exit code."""
    start = time.monotonic()
    from ..layer_types.base import Settings
    from ..solver.console import Console
    from ..tasks.toy_actions.demo import Demo, check_groups, check_iterations
    check_groups(args.groups)
    check_iterations(args.single_iterations, args.lrcn_iterations)
    page = Demo(args.out, args.groups, args.method, args.single_iterations, args.lrcn_iterations,
                Settings(workers=runtime.default_workers()), Console(sys.stderr, short=True)).run()
    print(f"{page} ({time.monotonic() - start:.0f} s)")
    return 0
