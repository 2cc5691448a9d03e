"""Store random pairs of MNIST's digits: convert_mnist_siamese_data [flags] IMAGES LABELS DB.

A record has two digits as channels; its label says whether they are of one class.
"""
from __future__ import annotations

import argparse

import numpy as np

from ..sources.datum import array_to_datum
from .convert_mnist_data import read_mnist
from .program import Parser
from .records import RecordWriter


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of Caffe's convert_mnist_siamese_data, a kind of database, a seed."""
    for name in ("images", "labels", "database"):
        parser.add_argument(name)
    parser.add_argument("--backend", default="leveldb", help="leveldb (default) or lmdb")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of pairs")


def run(args: argparse.Namespace) -> int:
    """Make the database; return the exit code."""
    convert_mnist_pairs(args.images, args.labels, args.database, args.backend, args.seed)
    return 0


def convert_mnist_pairs(images: str, labels: str, database: str, kind: str = "leveldb",
                        seed: int = 1) -> int:
    """Store as many random pairs as there are digits; return their number.

    A record has the two digits as channels, and label 1 if they are of one class, 0 if not.

    Raises:
        DataError: as in ``convert_mnist``.

    Source: Caffe examples/siamese/convert_mnist_siamese_data.cpp.
    """
    pictures, classes = read_mnist(images, labels)
    pairs = np.random.default_rng(seed).integers(len(pictures), size=(len(pictures), 2))
    with RecordWriter(database, kind) as writer:
        for index, pair in enumerate(pairs):
            same = classes[pair[0]] == classes[pair[1]]
            writer.put(f"{index:08d}", array_to_datum(pictures[pair], int(same)))
    return writer.count
