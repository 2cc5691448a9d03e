"""Databases for tests to read."""
from __future__ import annotations

import io

import numpy as np
from PIL import Image

from caffe_lrcn.sources.datum import array_to_datum
from caffe_lrcn.sources.lmdb_write import LmdbWriter


def pictures(count, shape=(3, 6, 8), seed=4):
    """Return random uint8 pictures (C, H, W)."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, shape, np.uint8) for _ in range(count)]


def encoded(planes, label=0, form="PNG"):
    """Return a Datum that holds a (C, H, W) BGR or grey picture as a file."""
    from caffe_lrcn.proto.caffe_pb2 import Datum

    image = planes.transpose(1, 2, 0)
    image = image[:, :, 0] if len(planes) == 1 else image[:, :, [2, 1, 0, 3][:len(planes)]]
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(file, form)
    return Datum(data=file.getvalue(), label=label, encoded=True)


def write_lmdb(path, datums):
    """Write Datum messages, bytes, or arrays labelled by their place; return the path."""
    writer = LmdbWriter(str(path))
    for index, datum in enumerate(datums):
        if isinstance(datum, np.ndarray):
            datum = array_to_datum(datum, index)
        content = datum if isinstance(datum, bytes) else datum.SerializeToString()
        writer.put(b"%08d" % index, content)
    writer.close()
    return str(path)
