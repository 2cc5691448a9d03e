"""Store CIFAR-10 in databases: convert_cifar_data INPUT_FOLDER OUTPUT_FOLDER DB_TYPE.

INPUT_FOLDER has the binary version's files; OUTPUT_FOLDER gets cifar10_train_<DB_TYPE> and
cifar10_test_<DB_TYPE>.
"""
from __future__ import annotations

import argparse
import os

import numpy as np

from ..errors import DataError
from ..sources.datum import array_to_datum
from .convert_mnist_data import read_bytes
from .program import Parser
from .records import RecordWriter

_SHAPE = (3, 32, 32)
_RECORD_BYTES = 1 + 3 * 32 * 32
_FILES = {"train": [f"data_batch_{number}.bin" for number in range(1, 6)],
          "test": ["test_batch.bin"]}


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of Caffe's convert_cifar_data."""
    for name in ("input_folder", "output_folder"):
        parser.add_argument(name)
    parser.add_argument("db_type", help="lmdb or leveldb")


def run(args: argparse.Namespace) -> int:
    """Make the databases; return the exit code."""
    convert_cifar(args.input_folder, args.output_folder, args.db_type)
    return 0


def convert_cifar(folder: str, output: str, kind: str = "lmdb") -> list[str]:
    """Make the databases ``cifar10_train_<kind>`` and ``cifar10_test_<kind>``; return their paths.

    Records are 3 x 32 x 32 in the order of the files: red, green, blue.

    Args:
        folder: holds the five training files and the test file.
        output: an existing folder.

    Raises:
        DataError: a file is missing or damaged, or a database exists.

    Source: Caffe examples/cifar10/convert_cifar_data.cpp.
    """
    # All files are read first, so that a missing one leaves no half of a data set behind.
    batches = {part: [_read(os.path.join(folder, name)) for name in names]
               for part, names in _FILES.items()}
    paths = []
    for part, files in batches.items():
        paths.append(os.path.join(output, f"cifar10_{part}_{kind}"))
        with RecordWriter(paths[-1], kind) as writer:
            for record in np.concatenate(files):
                picture = record[1:].reshape(_SHAPE)
                writer.put(f"{writer.count:05d}", array_to_datum(picture, int(record[0])))
    return paths


def _read(path: str) -> np.ndarray:
    """Return the records of a file: (N, 3073) bytes, the label first."""
    content = read_bytes(path)
    if not content or len(content) % _RECORD_BYTES:
        raise DataError("this is not a CIFAR-10 file, or a damaged one", where=path,
                        got=f"{len(content)} bytes", wanted=f"a multiple of {_RECORD_BYTES}",
                        remedy="Use the binary version of CIFAR-10")
    return np.frombuffer(content, np.uint8).reshape(-1, _RECORD_BYTES)
