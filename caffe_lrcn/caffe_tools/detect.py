"""Score windows of pictures: detect INPUT OUTPUT [flags].

INPUT is a table (.csv) with the columns filename, ymin, xmin, ymax and xmax; OUTPUT is a table
(.csv) or an HDF5 file (.h5).
"""
from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError, UsageError
from ..files import read_file, replacing
from ..hdf5_files import new_hdf5
from ..paths import resolve
from ..pycaffe.detector import Detector
from ..pycaffe.modes import set_mode_gpu
from .classify import add_model_flags, numbers
from .compute_image_mean import read_mean
from .program import Parser

#: Columns of a window: its edges in pixels.
COORDINATES = ("ymin", "xmin", "ymax", "xmax")


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's detect.py."""
    parser.add_argument("input_file")
    parser.add_argument("output_file")
    add_model_flags(parser)
    parser.add_argument("--crop_mode", default="selective_search",
                        choices=("list", "selective_search"),
                        help="list: windows of a table; the default's proposals are not included")
    parser.add_argument("--context_pad", type=int, default=16,
                        help="pixels of the input around a window")


def run(args: argparse.Namespace) -> int:
    """Score the windows; return the exit code."""
    if args.gpu:
        set_mode_gpu()
    mean = read_mean(args.mean_file)
    detector = Detector(
        resolve(args.model_def), args.pretrained_model,
        None if mean is None else mean.mean(axis=(1, 2)), args.input_scale, args.raw_scale,
        numbers(args.channel_swap), args.context_pad)
    start = time.monotonic()
    if args.crop_mode == "list":
        found = detector.detect_windows(read_windows(args.input_file))
    else:
        found = detector.detect_selective_search([args.input_file])
    print(f"Processed {len(found)} windows in {time.monotonic() - start:.3f} s.")
    write_detections(args.output_file, found)
    return 0


def read_windows(path: str) -> list[tuple[str, np.ndarray]]:
    """Return each picture of a table with its (N, 4) windows, pictures sorted by name.

    Args:
        path: a CSV file whose head names at least filename, ymin, xmin, ymax and xmax.

    Raises:
        DataError: the file is missing, lacks a column, or has a value that is not a number.

    Source: python/detect.py.
    """
    windows: dict[str, list[list[float]]] = {}
    try:
        table = csv.DictReader(io.StringIO(read_file(path).decode("utf-8-sig"), newline=""))
        missing = [name for name in ("filename", *COORDINATES)
                   if name not in (table.fieldnames or ())]
        if missing:
            raise DataError("the table of windows lacks columns", where=f"{path}:1",
                            wanted=", ".join(missing))
        for row in table:
            edges = _edges(row, f"{path}:{table.line_num}")
            windows.setdefault(row["filename"] or "", []).append(edges)
    except DataError:
        raise
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError("the table of windows cannot be read", where=path,
                        got=getattr(error, "strerror", error)) from None
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
    scores = scores.reshape(len(names), -1) if names else scores[:, None]
    with replacing(path, DataError, "the table of detections") as temporary:
        write(temporary, names, windows, scores)


def _edges(row: dict[str, str], where: str) -> list[float]:
    try:
        return [float(row[name]) for name in COORDINATES]
    except (TypeError, ValueError):
        raise DataError("a window's edge is not a number", where=where,
                        got=", ".join(str(row[name]) for name in COORDINATES)) from None


def _write_csv(path: str, names: list[str], windows: np.ndarray, scores: np.ndarray) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        classes = scores.shape[1] if names else 0
        table.writerow(["filename", *COORDINATES, *(f"class{k}" for k in range(classes))])
        for name, window, score in zip(names, windows, scores, strict=True):
            table.writerow([name, *window.tolist(), *map(str, score)])


def _write_hdf5(path: str, names: list[str], windows: np.ndarray, scores: np.ndarray) -> None:
    import h5py
    with new_hdf5(path) as file:
        file.create_dataset("filename", data=np.array(names, object), dtype=h5py.string_dtype())
        file["window"], file["prediction"] = windows, scores
