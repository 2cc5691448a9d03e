"""``caffe-lrcn demo``: the default job on generated pictures, and a page to look at."""
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--out", type=Path, default=Path("out/demo"),
                        help="folder of the page (%(default)s)")
    parser.add_argument("--images", type=int, default=8000, metavar="N",
                        help="training pictures to generate (%(default)s)")
    parser.add_argument("--convnet-iterations", type=int, metavar="N",
                        help="train the picture net so long (as its solver says)")
    parser.add_argument("--iterations", type=int, metavar="N",
                        help="train the captioner so long (as its solver says)")


def run(args: argparse.Namespace) -> int:
    """Run the demonstration; return the exit code."""
    start = time.monotonic()
    from ..layer_types.base import Settings
    from ..solver.console import Console
    from ..tasks.toy.demo import run_demo
    from ..tasks.toy.embedded import Embedded
    data = Embedded(args.images, Settings(workers=runtime.default_workers()),
                    Console(sys.stderr, short=True))
    page = run_demo(data, args.out, args.convnet_iterations, args.iterations)
    print(f"{page} ({time.monotonic() - start:.0f} s)")
    return 0
