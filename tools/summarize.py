#!/usr/bin/env python3
"""Print a net definition as a table, one line a layer: summarize.py FILENAME [-w WIDTH]."""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the flags of Caffe's summarize.py."""
    flags = Parser(__doc__)
    flags.add_argument("filename")
    flags.add_argument("-w", "--max-width", type=_width, default=30, help="of a column")
    return flags


def work(args: argparse.Namespace) -> None:
    """Print the table, in colours on a terminal."""
    from caffe_lrcn.inspection.layer_table import layer_table
    from caffe_lrcn.proto.text import read_net
    layers = [layer.param for layer in read_net(args.filename).layers]
    print(layer_table(layers, args.max_width, sys.stdout.isatty()))


def _width(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
