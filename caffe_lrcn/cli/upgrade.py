"""``caffe-lrcn upgrade``: rewrite old definitions in today's form."""
from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", choices=("net", "solver"), help="what the file defines")
    parser.add_argument("input", metavar="IN", help="text or binary; the output is the same")
    parser.add_argument("output", metavar="OUT", help="where to write; - prints")


def run(args: argparse.Namespace) -> int:
    """Upgrade a file; return the exit code: 2 for one that cannot be read, 1 for other errors."""
    from ..caffe_tools.upgrade import upgrade
    return upgrade(args.what, args.input, args.output)
