"""``caffe-lrcn demo-description``: sentences about generated clips, and a page to look at."""
from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

from . import runtime

SOURCES = ("pixels", "noisy")  # tasks.toy_roles.recogniser.SOURCES, not imported for a help text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    count = partial(runtime.at_least, 1)
    parser.add_argument("--out", type=Path, default=Path("out/demo-description"),
                        help="folder of the page, and of all that is made for it (%(default)s)")
    parser.add_argument("--source", choices=SOURCES, default="pixels",
                        help="of the roles: pixels (a net and a CRF) or noisy (a simulated "
                             "recogniser) (%(default)s)")
    parser.add_argument("--groups", type=partial(runtime.at_least, 4), default=25, metavar="N",
                        help="kitchens to generate; 5 of 25 are for testing (%(default)s)")
    parser.add_argument("--clips", type=count, default=40, metavar="N",
                        help="generate so many clips of each kitchen (%(default)s)")
    parser.add_argument("--recogniser-iterations", type=count, default=500, metavar="N",
                        help="train the net of roles so long (%(default)s)")
    parser.add_argument("--iterations", type=count, metavar="N",
                        help="train the nets that write so long, and architecture (a) twice as "
                             "long (as their solvers say)")


def run(args: argparse.Namespace) -> int:
    """Run the demonstration; return the exit code."""
    start = time.monotonic()
    from ..layer_types.base import Settings
    from ..solver.console import Console
    from ..tasks.toy_roles.demo import Demo, Size
    demo = Demo(args.out, args.source, Size(args.groups, args.clips, args.recogniser_iterations),
                args.iterations, Settings(workers=runtime.default_workers()),
                Console(sys.stderr, short=True))
    page = demo.run()
    print(f"{page} ({time.monotonic() - start:.0f} s)")
    print(f"Sentences from roles: {demo.command()}")
    return 0
