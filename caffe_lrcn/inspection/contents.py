"""What is in a file of weights, a solver state or an image mean, or in data."""
from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import UsageError, WeightsError
from ..net.rebuild import rebuild_net
from ..proto import weights_io
from ..proto.file_kinds import ARRAY, HDF5, HEAD_BYTES, STATE, TEXT, kind_of
from ..proto.text import format_text
from ..proto.weights_io import WeightFile
from .data_contents import folder_facts, list_facts, lmdb_facts
from .statistics import Statistics, describe, table

_MOST_VALUES = 1 << 26  # of a data set that is looked at; of a larger one only the shape is shown
_HEADER = ("layer", "type", "blob", "shape", "count", "min", "max", "mean", "std", "zeros", "NaN")
_RIGHT = (False, False, False, False, True, True, True, True, True, True, True)


@dataclass
class Row:
    """One array of a file, or a layer without arrays (no blob)."""

    layer: str
    type: str = ""
    blob: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    statistics: Statistics | None = None


@dataclass
class Contents:
    """What a file holds: facts to print above the table, and its arrays."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    weights: WeightFile | None = None


def read_contents(path: str) -> Contents:
    """Read weights, a solver state, an image mean, a database, HDF5 data or a list of pictures.

    Raises:
        WeightsError, SnapshotError, DataError: the file is missing, damaged, or something else.
    """
    if os.path.isdir(path):
        return Contents(*folder_facts(path))
    head = b""
    with suppress(OSError), open(path, "rb") as stream:  # the readers below say what is wrong
        head = stream.read(HEAD_BYTES)
    kind = kind_of(head)
    form = "HDF5" if kind == HDF5 else "binary"
    if kind == STATE or kind == HDF5 and _is_h5_state(path):
        state = weights_io.read_solverstate(path)
        facts = {"iter": state.iter, "learned_net": state.learned_net,
                 "current_step": state.current_step}
        return Contents(f"solver state, {form}", facts,
                        [_row("history", "", str(i), array)
                         for i, array in enumerate(state.history)])
    if kind == HDF5 and (rows := _h5_data(path)):
        return Contents("data, HDF5", {}, rows)
    if os.path.basename(path) == "data.mdb":
        return Contents(*lmdb_facts(path))
    if kind == TEXT and (found := list_facts(path)):
        return Contents(*found)
    if kind == ARRAY:
        return _mean(weights_io.read_blob_proto(path))
    file = weights_io.read_weights(path)
    facts = {} if kind == HDF5 else {"name": file.name, "dialect": file.dialect}
    return Contents(f"weights, {form}", facts, list(_weight_rows(file)), file)


def _is_h5_state(path: str) -> bool:
    import h5py
    with suppress(Exception), h5py.File(path, "r") as file:  # the readers say what is wrong
        return "history" in file
    return False


def _h5_data(path: str) -> list[Row]:
    """Return the data sets of a file for HDF5Data layers: they stand at its top."""
    import h5py
    rows = []
    try:
        with h5py.File(path, "r") as file:
            for name, item in file.items():
                if isinstance(item, h5py.Dataset):
                    if isinstance(name, bytes):  # not UTF-8
                        name = name.decode(errors="replace")
                    row = Row("", "", name, item.shape, str(item.dtype))
                    if item.dtype.kind in "fiu" and item.size <= _MOST_VALUES:
                        row.statistics = describe(np.asarray(item))
                    rows.append(row)
    except (OSError, RuntimeError, KeyError, ValueError):
        return []  # the reader of weights says what is wrong
    return rows


def _mean(array: np.ndarray) -> Contents:
    """Describe an array; one with pictures' axes also by its mean for each channel."""
    facts = {}
    if array.ndim >= 3 and array.size and array.shape[-3] <= 4:
        axes = tuple(axis for axis in range(array.ndim) if axis != array.ndim - 3)
        facts["channel means"] = [round(float(mean), 4)
                                  for mean in array.mean(axis=axes, dtype="float64")]
    return Contents("array (image mean), binary", facts, [_row("", "", "0", array)])


def _weight_rows(file: WeightFile) -> Iterator[Row]:
    for layer in file.layers:
        if not layer.blobs:
            yield Row(layer.name, layer.type)
        for index, (blob, diff) in enumerate(zip(layer.blobs, layer.diffs, strict=True)):
            if blob is None:
                yield Row(layer.name, layer.type, f"{index} (shared)")
                continue
            yield _row(layer.name, layer.type, str(index), blob)
            if diff is not None:
                yield _row(layer.name, layer.type, f"{index} diff", diff)


def _row(layer: str, kind: str, blob: str, array: np.ndarray) -> Row:
    return Row(layer, kind, blob, array.shape, str(array.dtype), describe(array))


def contained_prototxt(contents: Contents, path: str) -> str:
    """Return the net definition that weights contain, as prototxt.

    Raises:
        UsageError: these are not weights.
        WeightsError: the file holds no definition that can be rebuilt.
    """
    if contents.weights is None:
        raise UsageError("only weights contain a definition", where=path, got=contents.kind)
    try:
        return format_text(rebuild_net(contents.weights))
    except WeightsError as error:
        error.where = path
        raise


# Output ---------------------------------------------------------------------------------------


def as_text(path: str, contents: Contents) -> str:
    """Return a header with the facts, an aligned table, and the totals."""
    facts = {"file": path, "kind": contents.kind, **contents.facts,
             "size": f"{_size(path):,} bytes"}
    width = max(map(len, facts)) + 1
    lines = [f"{name + ':':<{width}} {value}" for name, value in facts.items()]
    cells = [_cells(row, contents.rows[index - 1] if index else None)
             for index, row in enumerate(contents.rows)]
    keep = [column for column in range(len(_HEADER)) if any(row[column] for row in cells)]
    shown = table([_HEADER[column] for column in keep],
                  [[row[column] for column in keep] for row in cells],
                  [_RIGHT[column] for column in keep]) if keep else ""
    if not contents.rows:
        return "\n".join(lines)
    return "\n".join([*lines, "", shown, "", _totals_line(contents)])


def _size(path: str) -> int:
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(entry.stat().st_size for entry in os.scandir(path) if entry.is_file())


def _cells(row: Row, above: Row | None) -> list[str]:
    # A layer's name and type stand beside its first array only.
    repeated = above is not None and above.layer == row.layer and bool(
        row.blob) and row.blob != "0"
    cells = ["", ""] if repeated else [row.layer, row.type]
    found = row.statistics
    shape = " x ".join(map(str, row.shape)) or "1 number"
    if found is None:
        return [*cells, row.blob or "-", shape if row.dtype else "", *[""] * 7]
    numbers = [f"{value:.4g}" for value in (found.min, found.max, found.mean, found.std)]
    return [*cells, row.blob, shape, f"{found.count:,}", *numbers, f"{found.zero_share:.1%}",
            str(found.nans)]


def totals(contents: Contents) -> dict[str, int]:
    """Return the numbers of layers, of arrays, and of values that are not gradients."""
    values = [row for row in contents.rows if row.statistics and "diff" not in row.blob]
    layers = contents.weights.layers if contents.weights else []
    return {"layers": len(layers),
            "layers with parameters": sum(bool(layer.blobs) for layer in layers),
            "arrays": len(values),
            "values": sum(row.statistics.count for row in values if row.statistics),
            "NaN": sum(row.statistics.nans for row in values if row.statistics)}


def _totals_line(contents: Contents) -> str:
    total = totals(contents)
    start = (f"{total['layers']} layers, {total['layers with parameters']} with parameters; "
             if contents.weights else "")
    arrays = "1 array" if total["arrays"] == 1 else f"{total['arrays']} arrays"
    return f"{start}{arrays}, {total['values']:,} values, {total['NaN']} NaN"


def as_json(contents: Contents) -> str:
    """Return the same as one JSON object; numbers that are not finite are strings."""
    arrays = [{"layer": row.layer, "type": row.type, "blob": row.blob, "shape": list(row.shape),
               "dtype": row.dtype, **_numbers(row.statistics)} for row in contents.rows]
    return json.dumps({"kind": contents.kind, **contents.facts, "arrays": arrays,
                       "totals": totals(contents)}, indent=2, allow_nan=False)


def _numbers(found: Statistics | None) -> dict[str, Any]:
    if found is None:
        return {}
    numbers = {name: value if math.isfinite(value) else str(value)
               for name, value in vars(found).items()}
    return numbers | {"zero_share": found.zero_share}
