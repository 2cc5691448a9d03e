"""Print a net definition as a table, one line per layer: summarize FILENAME [-w WIDTH]."""
from __future__ import annotations

import argparse
import sys

from ..inspection.layer_table import layer_table
from ..paths import resolve
from ..proto.text import read_net
from .program import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's summarize.py."""
    parser.add_argument("filename")
    parser.add_argument("-w", "--max-width", type=_width, default=30, help="of a column")


def run(args: argparse.Namespace) -> int:
    """Print the table, in colours on a terminal; return the exit code."""
    layers = [layer.param for layer in read_net(resolve(args.filename)).layers]
    coloured = sys.stdout.isatty()
    # The colours would be spelled out; the table does so with what comes from the file.
    stream = getattr(sys.stdout, "raw", sys.stdout) if coloured else sys.stdout
    print(layer_table(layers, args.max_width, coloured), file=stream)
    return 0


def _width(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)
