"""Store MNIST's digits in a database: convert_mnist_data [flags] IMAGES LABELS DB.

IMAGES and LABELS are unpacked idx files, such as train-images-idx3-ubyte.
"""
from __future__ import annotations

import argparse
from struct import Struct

import numpy as np

from ..errors import DataError
from ..files import read_file
from ..sources.datum import array_to_datum
from .program import Parser
from .records import RecordWriter

_HEAD, _DIMENSION = Struct(">I"), Struct(">I")
_IMAGES_MAGIC, _LABELS_MAGIC = 2051, 2049


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's convert_mnist_data."""
    for name in ("images", "labels", "database"):
        parser.add_argument(name)
    parser.add_argument("--backend", default="lmdb", help="lmdb or leveldb")


def run(args: argparse.Namespace) -> int:
    """Make the database; return the exit code."""
    convert_mnist(args.images, args.labels, args.database, args.backend)
    return 0


def convert_mnist(images: str, labels: str, database: str, kind: str = "lmdb") -> int:
    """Store MNIST's digits as records of 1 x 28 x 28 and return their number.

    Args:
        images, labels: unpacked idx files.
        database: the folder to make.

    Raises:
        DataError: a file is missing or damaged, they do not belong together, or the database
            exists.

    Source: Caffe examples/mnist/convert_mnist_data.cpp.
    """
    pictures, classes = read_mnist(images, labels)
    with RecordWriter(database, kind) as writer:
        for index, (picture, label) in enumerate(zip(pictures, classes, strict=True)):
            writer.put(f"{index:08d}", array_to_datum(picture[None], int(label)))
    return writer.count


def read_mnist(images: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, H, W) pictures and (N,) labels, uint8, of two idx files.

    Raises:
        DataError: a file is missing or damaged, or they do not belong together.
    """
    pictures, classes = _read_idx(images, _IMAGES_MAGIC, 3), _read_idx(labels, _LABELS_MAGIC, 1)
    if len(pictures) != len(classes):
        raise DataError("pictures and labels do not belong together", where=labels,
                        got=f"{len(classes)} labels", wanted=f"{len(pictures)} as in {images}")
    return pictures, classes


def _read_idx(path: str, magic: int, axes: int) -> np.ndarray:
    content = read_bytes(path)
    head = _HEAD.size + axes * _DIMENSION.size
    if len(content) < head or _HEAD.unpack_from(content)[0] != magic:
        gzipped = content.startswith(b"\x1f\x8b")
        raise DataError(f"this is not an idx file of {'pictures' if axes == 3 else 'labels'}",
                        where=path, remedy="Unpack it with gunzip" if gzipped else None)
    shape = [_DIMENSION.unpack_from(content, _HEAD.size + axis * _DIMENSION.size)[0]
             for axis in range(axes)]
    size = int(np.prod(shape, dtype=object))
    if len(content) - head != size or not size:
        raise DataError("the file is damaged or empty", where=path,
                        got=f"{len(content) - head} bytes of values", wanted=size)
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def read_bytes(path: str) -> bytes:
    """Return the content of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return read_file(path)
    except OSError as error:
        raise DataError("the file cannot be read", where=path, got=error.strerror) from None
