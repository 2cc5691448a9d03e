"""Files of trained CRFs: HDF5.

``slots``, ``slot_sizes`` and ``slot_labels`` as in files of roles; ``weights`` (D, S), ``bias``
(S,); ``edges`` (E, 2), and a dataset ``tables/<i>-<j>`` for each of them.
"""
from __future__ import annotations

import os

import numpy as np

from ...errors import DataError
from ...files import replacing
from ...hdf5_files import new_hdf5
from .crf import Crf
from .crf_graph import make_plan
from .role_records import check_slots
from .roles_hdf5 import hdf5_file, read_numbers, read_slots, write_slots

_WANTED = "a file that caffe-lrcn data roles --fit has written"


def write_crf(path: str | os.PathLike[str], crf: Crf) -> None:
    """Write a CRF.

    Raises:
        DataError: the file cannot be written.
    """
    with replacing(path, DataError, "the CRF") as name, new_hdf5(name) as file:
        write_slots(file, crf.slots)
        file["weights"], file["bias"] = crf.weights, crf.bias
        file["edges"] = np.array([*crf.tables], np.int64).reshape(-1, 2)
        for (i, j), table in crf.tables.items():
            file[f"tables/{i}-{j}"] = table


def read_crf(path: str | os.PathLike[str]) -> Crf:
    """Return the CRF in a file.

    Raises:
        DataError: the file is missing, damaged or of another kind.
        UsageError: the CRF is too large to be exact.
    """
    path = os.fspath(path)
    with hdf5_file(path, "the CRF", _WANTED) as file:
        slots = read_slots(file)
        check_slots(slots, path)
        sizes = [len(slot.labels) for slot in slots]
        weights = read_numbers(file, "weights", (None, sum(sizes)), "f", needed=True)
        bias = read_numbers(file, "bias", (sum(sizes),), "f", needed=True)
        edges = read_numbers(file, "edges", (None, 2), "iu", needed=True)
        if (edges < 0).any() or (edges >= len(slots)).any() or (edges[:, 0] == edges[:, 1]).any():
            raise DataError("'edges' are not pairs of slots", got=edges.tolist())
        tables = {(i, j): read_numbers(file, f"tables/{i}-{j}", (sizes[i], sizes[j]), "f",
                                       needed=True) for i, j in edges.tolist()}
        if not all(np.isfinite(values).all() for values in (weights, bias, *tables.values())):
            raise DataError("a score is not finite")
    make_plan(sizes, [*tables])
    return Crf(slots, weights, bias, tables)
