"""``caffe-lrcn data toy``: generate the embedded captioning data set."""
from __future__ import annotations

import argparse
from pathlib import Path

from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--out", required=True, type=Path,
                        help="folder to make; it must not exist yet")
    parser.add_argument("--images", type=int, default=8000, metavar="N",
                        help="pictures for training (%(default)s); val and test get a twentieth "
                             "and twice a sixteenth more")
    parser.add_argument("--seed", type=int, default=1, help="of everything (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Write pictures, captions and attributes; return the exit code."""
    from ..tasks.toy.dataset import write_dataset
    write_dataset(args.out, args.images, args.seed, runtime.report)
    return 0
