"""Compute the mean picture of a database: compute_image_mean [flags] INPUT_DB [OUTPUT_FILE]."""
from __future__ import annotations

import argparse

import numpy as np

from .. import glog
from ..errors import DataError
from ..files import new_file
from ..proto.blob_proto import read_blob_proto
from ..proto.caffe_pb2 import BlobProto
from ..sources.array_file import read_array
from ..sources.datum import parse_picture
from ..sources.records.database import open_database
from .program import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's compute_image_mean."""
    parser.add_argument("database")
    parser.add_argument("output", nargs="?", help="where to write the mean (.binaryproto)")
    parser.add_argument("--backend", default="lmdb", help="lmdb or leveldb")


def run(args: argparse.Namespace) -> int:
    """Write the mean, if asked to, and log the mean of each channel; return the exit code."""
    mean = database_mean(args.database, args.backend)
    if args.output:
        glog.info("Write to %s", args.output)
        write_mean(args.output, mean)
    glog.info("Number of channels: %d", len(mean))
    for channel, value in enumerate(mean.mean(axis=(1, 2))):
        glog.info("mean_value channel [%d]: %g", channel, value)
    return 0


def database_mean(path: str, kind: str = "lmdb") -> np.ndarray:
    """Return the mean over all records, (C, H, W) float32; encoded pictures are decoded.

    It is summed in double precision: single loses digits from some thousand pictures on.

    Raises:
        DataError: the database is missing, damaged or empty, or its pictures differ in size.

    Source: Caffe tools/compute_image_mean.cpp.
    """
    database = open_database(path, kind.upper())
    total: np.ndarray | None = None
    index = 0
    try:
        while (record := database.find(index)) is not None:
            picture = _picture(path, *record)
            if total is None:
                total = np.zeros(picture.shape, np.float64)
            if picture.shape != total.shape:
                raise DataError(
                    f"record '{record[0].decode(errors='replace')}' has another size than the "
                    f"first", where=path, got=picture.shape, wanted=total.shape,
                    remedy="Resize pictures when the database is made")
            total += picture
            index += 1
            if index % 10000 == 0:
                glog.info("Processed %d files.", index)
    finally:
        database.close()
    if total is None:
        raise DataError("the database has no records", where=path)
    return (total / index).astype(np.float32)


def write_mean(path: str, mean: np.ndarray) -> None:
    """Write a (C, H, W) mean as a ``.binaryproto`` file, with num 1 and the old four dimensions.

    Raises:
        DataError: the file cannot be written.
    """
    channels, height, width = mean.shape
    blob = BlobProto(num=1, channels=channels, height=height, width=width)
    blob.data.extend(mean.ravel())
    with new_file(path, DataError, "the mean", "wb") as file:
        file.write(blob.SerializeToString())


def read_mean(path: str) -> np.ndarray | None:
    """Return the (C, H, W) mean in a ``.npy`` or ``.binaryproto`` file; None for an empty name.

    Raises:
        DataError: the file is missing, or holds something else.
    """
    if not path:
        return None
    if path.endswith(".binaryproto"):
        mean = read_blob_proto(path)
        mean = mean[0] if mean.ndim == 4 and len(mean) == 1 else mean
    else:
        mean = read_array(path, "the mean", "a .npy or a .binaryproto file",
                          "Name a mean file; an empty name stands for no mean")
    if mean.ndim != 3:
        raise DataError("this is not a mean picture", where=path, got=f"shape {mean.shape}",
                        wanted="(channels, height, width)")
    return mean


def _picture(path: str, key: bytes, content: bytes) -> np.ndarray:
    try:
        picture: np.ndarray = parse_picture(content)[0].transpose(2, 0, 1)
        return picture
    except DataError as error:
        error.where = f"{path}: record '{key.decode(errors='replace')}'"
        raise
