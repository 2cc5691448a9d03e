"""Files of windows to be scored, and of their scores."""
from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from ..errors import DataError, UsageError

#: Columns of a window: its edges in pixels.
COORDINATES = ("ymin", "xmin", "ymax", "xmax")


def read_windows(path: str) -> list[tuple[str, np.ndarray]]:
    """Return each picture of a table with its (N, 4) windows, pictures sorted by name.

    Args:
        path: a CSV file whose head names at least filename, ymin, xmin, ymax and xmax.

    Raises:
        DataError: the file is missing, lacks a column, or has a value that is no number.

    Source: python/detect.py.
    """
    windows: dict[str, list[list[float]]] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            missing = [name for name in ("filename", *COORDINATES)
                       if name not in (table.fieldnames or ())]
            if missing:
                raise DataError("the table of windows lacks columns", where=f"{path}:1",
                                wanted=", ".join(missing))
            for row in table:
                edges = _edges(row, f"{path}:{table.line_num}")
                windows.setdefault(row["filename"], []).append(edges)
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise DataError("the table of windows cannot be read", where=path,
                        got=error.strerror) from None
    return [(name, np.array(windows[name])) for name in sorted(windows)]


def write_detections(path: str, detections: Sequence[dict[str, Any]]) -> None:
    """Write windows and scores, as a table (``.csv``) or as HDF5 (``.h5``).

    The table has the columns filename, ymin, xmin, ymax, xmax, class0, class1, …; the HDF5 file
    the datasets filename (N,), window (N, 4) and prediction (N, classes).

    Args:
        detections: what ``Detector.detect_windows`` returns.

    Raises:
        UsageError: another ending.
        DataError: the file cannot be written.

    Source: python/detect.py.
    """
    write = {"csv": _write_csv, "h5": _write_hdf5}.get(path.rpartition(".")[2].lower())
    if write is None:
        raise UsageError("detections are written as a table or as HDF5", got=path,
                         wanted="a name that ends in .csv or .h5")
    names = [entry["filename"] for entry in detections]
    windows = np.array([entry["window"] for entry in detections], float).reshape(-1, 4)
    scores = np.array([np.ravel(entry["prediction"]) for entry in detections], np.float32)
    try:
        write(path, names, windows, scores.reshape(len(names), -1) if names else scores[:, None])
    except OSError as error:
        raise DataError("the detections cannot be written", where=path,
                        got=error.strerror or error) from None


def _edges(row: dict[str, str], where: str) -> list[float]:
    try:
        return [float(row[name]) for name in COORDINATES]
    except (TypeError, ValueError):
        raise DataError("a window's edge is no number", where=where,
                        got=", ".join(str(row[name]) for name in COORDINATES)) from None


def _write_csv(path: str, names: list[str], windows: np.ndarray, scores: np.ndarray) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        classes = scores.shape[1] if names else 0
        table.writerow(["filename", *COORDINATES, *(f"class{k}" for k in range(classes))])
        for name, window, score in zip(names, windows, scores, strict=True):
            table.writerow([name, *window.tolist(), *map(str, score)])


def _write_hdf5(path: str, names: list[str], windows: np.ndarray, scores: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("filename", data=np.array(names, object), dtype=h5py.string_dtype())
        file["window"], file["prediction"] = windows, scores
