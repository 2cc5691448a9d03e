"""Databases of what a net computes for its data."""
from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from difflib import get_close_matches

import numpy as np

from .. import glog
from ..errors import NetError, UsageError
from ..net.net import Net
from ..sources.datum import array_to_datum
from .records import RecordWriter

_MOST_AXES = 4


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
                _store(net.blobs[name].host_data, writer)
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
        near = get_close_matches(name, net.blobs, n=1)
        raise NetError(f"the net has no blob '{name}'", wanted=", ".join(net.blobs),
                       remedy=f"Did you mean '{near[0]}'?" if near else None)
    shape = net.blobs[name].shape
    if not 1 <= len(shape) <= _MOST_AXES:
        raise NetError(f"items of blob '{name}' cannot be stored", got=f"shape {shape}",
                       wanted="a batch of values, vectors, planes or pictures")
