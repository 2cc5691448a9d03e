#!/usr/bin/env python3
"""Store random pairs of MNIST's digits: convert_mnist_siamese_data.py [flags] IMAGES LABELS DB.

A record has two digits as channels; its label says whether they are of one class.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the arguments of Caffe's convert_mnist_siamese_data, a kind of database, a seed."""
    flags = Parser(__doc__)
    for name in ("images", "labels", "database"):
        flags.add_argument(name)
    flags.add_argument("--backend", default="leveldb", help="leveldb (default) or lmdb")
    flags.add_argument("--seed", type=int, default=1, help="of the choice of pairs")
    return flags


def work(args: argparse.Namespace) -> None:
    """Make the database."""
    from caffe_lrcn.caffe_tools.mnist import convert_mnist_pairs
    convert_mnist_pairs(args.images, args.labels, args.database, args.backend, args.seed)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
