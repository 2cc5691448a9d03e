"""Store what a net computes for its data in databases.

extract_features WEIGHTS NET BLOB[,BLOB…] DATABASE[,DATABASE…] BATCHES DB_TYPE [CPU|GPU] [DEVICE]

Each blob gets the database at its place of the list.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np

from .. import glog
from ..backends import get_backend
from ..errors import NetError, UsageError
from ..hints import did_you_mean, nearest
from ..net.net import Net
from ..net.weights import warn_of_missing
from ..paths import resolve
from ..proto.caffe_pb2 import TEST
from ..proto.text import read_net
from ..sources.datum import array_to_datum
from .program import Parser, split_list
from .records import RecordWriter

_MOST_AXES = 4


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of Caffe's extract_features."""
    parser.add_argument("weights")
    parser.add_argument("net", help="definition, whose TEST phase reads the data")
    parser.add_argument("blobs", type=split_list, help="names, with commas between")
    parser.add_argument("databases", type=split_list, help="folders to make, with commas between")
    parser.add_argument("batches", type=int, help="how many batches of data to go through")
    parser.add_argument("db_type", help="lmdb or leveldb")
    parser.add_argument("mode", nargs="?", default="CPU", help="CPU (default) or GPU")
    parser.add_argument("device", nargs="?", type=int, default=0, help="number of the GPU")


def run(args: argparse.Namespace) -> int:
    """Run the net; return the exit code."""
    if args.mode not in ("CPU", "GPU"):
        raise UsageError("unknown device", got=args.mode, wanted="CPU or GPU")
    backend = get_backend(f"gpu:{args.device}" if args.mode == "GPU" else "cpu")
    net = Net(read_net(resolve(args.net)), backend, phase=TEST)
    try:
        warn_of_missing([net.copy_trained_layers_from(args.weights)])
        extract_features(net, args.blobs, args.databases, args.batches, args.db_type)
    finally:
        net.close()
    return 0


def extract_features(net: Net, blobs: Sequence[str], databases: Sequence[str], batches: int,
                     kind: str = "lmdb") -> int:
    """Run a net and store each item of its blobs; return the number of items of the first blob.

    Records are raw float pictures of the item's shape, missing axes being 1; keys count from 0
    with ten digits.

    Args:
        net: reads its own data.
        blobs: names of blobs whose first axis is the batch.
        databases: a folder to make for each of them.
        batches: how many forward passes to run.
        kind: ``lmdb`` or ``leveldb``.

    Raises:
        UsageError: other numbers of blobs and databases.
        NetError: the net has no such blob, or it has more axes than a record.
        DataError: a database exists.

    Source: Caffe tools/extract_features.cpp.
    """
    if len(blobs) != len(databases):
        raise UsageError("each blob needs a database of its own",
                         got=f"{len(blobs)} blobs, {len(databases)} databases")
    for name in blobs:
        _check_blob(net, name)
    with ExitStack() as stack:
        writers = [stack.enter_context(RecordWriter(path, kind)) for path in databases]
        for _ in range(batches):
            net.forward()
            for name, writer in zip(blobs, writers, strict=True):
                _store(net.blobs[name].read_data(), writer)
    for name, writer in zip(blobs, writers, strict=True):
        glog.info("Extracted features of %d items for blob %s", writer.count, name)
    return writers[0].count if writers else 0


def _store(batch: np.ndarray, writer: RecordWriter) -> None:
    shape = (*batch.shape, 1, 1, 1)[1:_MOST_AXES]
    for item in batch:
        # Always floats, whatever precision the net has.
        writer.put(f"{writer.count:010d}", array_to_datum(item.reshape(shape).astype(np.float32)))


def _check_blob(net: Net, name: str) -> None:
    if name not in net.blobs:
        raise NetError(f"the net has no blob '{name}'", wanted=", ".join(net.blobs),
                       remedy=did_you_mean(nearest(name, net.blobs)))
    shape = net.blobs[name].shape
    if not 1 <= len(shape) <= _MOST_AXES:
        raise NetError(f"items of blob '{name}' cannot be stored", got=f"shape {shape}",
                       wanted="a batch of values, vectors, planes or pictures")
