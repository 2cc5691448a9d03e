#!/usr/bin/env python3
"""Store MNIST's digits in a database: convert_mnist_data.py [flags] IMAGES LABELS DB.

IMAGES and LABELS are unpacked idx files, such as train-images-idx3-ubyte.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the flags of Caffe's convert_mnist_data."""
    flags = Parser(__doc__)
    for name in ("images", "labels", "database"):
        flags.add_argument(name)
    flags.add_argument("--backend", default="lmdb", help="lmdb or leveldb")
    return flags


def work(args: argparse.Namespace) -> None:
    """Make the database."""
    from caffe_lrcn.caffe_tools.mnist import convert_mnist
    convert_mnist(args.images, args.labels, args.database, args.backend)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
