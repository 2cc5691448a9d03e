"""Rows of HDF5 files, in order or shuffled, read slice by slice.

Rows of all listed files form one long sequence that repeats forever; record ``k`` of it is row
``k % rows`` of epoch ``k // rows``. Shuffling permutes the files and the rows inside each file,
anew in every epoch, so that a batch touches one file, or two at a border.
"""
from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

import h5py
import numpy as np

from ..errors import DataError
from .base import Allocate, Batch, Cursor, Orders, Random, Shape
from .row_transform import RowTransform

_UNEVEN = ("Rows of the datasets belong together one by one, so every dataset of a file needs "
           "as many rows.")


@dataclass(frozen=True)
class HDF5Spec:
    """Rows to read: files with their row counts, one dataset and row shape per top.

    ``random`` is None for rows in file order, ``row_transform`` for rows as they are.
    """

    files: tuple[str, ...]
    row_counts: tuple[int, ...]
    datasets: tuple[str, ...]
    row_shapes: tuple[Shape, ...]
    batch_size: int
    dtype: str = "float32"
    random: Random | None = None
    row_transform: RowTransform | None = None

    def open(self) -> HDF5Source:
        """Return a source over these rows."""
        return HDF5Source(self)

    def start_cursor(self) -> Cursor:
        """Return the cursor of the first row."""
        return {"record": 0}

    def next_cursor(self, cursor: Cursor) -> Cursor:
        """Return the cursor one batch further."""
        return {"record": cursor["record"] + self.batch_size}


def inspect(files: list[str], datasets: list[str]) -> tuple[list[int], list[Shape]]:
    """Check every file and return their row counts and the row shape of each dataset.

    Raises:
        DataError: a file is missing, damaged or no HDF5; a dataset is missing, has no axes, or
            holds neither floats nor integers; row counts or row shapes disagree.

    Source: Caffe hdf5_data_layer.cpp, util/hdf5.cpp.
    """
    row_counts: list[int] = []
    row_shapes: list[Shape] = []
    for path in files:
        with open_file(path) as file:
            shapes = [_dataset(file, name).shape for name in datasets]
        if len({shape[0] for shape in shapes}) > 1:
            raise DataError("the datasets have different numbers of rows", where=path,
                            got=_by_name(datasets, shapes), remedy=_UNEVEN)
        rows = [shape[1:] for shape in shapes]
        if row_shapes and rows != row_shapes:
            raise DataError("the rows have another shape than in the first file", where=path,
                            got=_by_name(datasets, rows),
                            wanted=f"{_by_name(datasets, row_shapes)} as in {files[0]}")
        row_shapes = rows
        row_counts.append(shapes[0][0])
    if not sum(row_counts):
        raise DataError("the files have no rows", where=files[0])
    return row_counts, row_shapes


def read_amplification(path: str, dataset: str) -> float:
    """Return how many times its own size has to be read to get one row, at least.

    1 for a dataset that is not chunked; otherwise whole chunks are read and decompressed.
    """
    with open_file(path) as file:
        found = _dataset(file, dataset)
        if found.chunks is None or not found.size:
            return 1.0
        chunks_per_row = math.prod(math.ceil(size / chunk) for size, chunk
                                   in zip(found.shape[1:], found.chunks[1:], strict=True))
        row_size = math.prod(found.shape[1:])
        return float(chunks_per_row * math.prod(found.chunks) / row_size)


def open_file(path: str) -> h5py.File:
    """Open an HDF5 file for reading.

    Raises:
        DataError: the file is missing, a folder, truncated, or of another format.
    """
    if os.path.isdir(path):
        raise DataError("this is a folder, not an HDF5 file", where=path)
    if not os.path.isfile(path):
        raise DataError("there is no such HDF5 file", where=path,
                        remedy="Paths count from the working directory, then from the folder "
                               "of the list that names them.")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if not h5py.is_hdf5(path):
            raise DataError("this is no HDF5 file", where=path,
                            got=f"{os.path.getsize(path)} bytes") from error
        raise DataError("the HDF5 file cannot be opened; it may be truncated", where=path,
                        got=str(error)) from error


class HDF5Source:
    """Reads batches of consecutive records; keeps one file open, holds no more than a batch."""

    def __init__(self, spec: HDF5Spec) -> None:
        self.spec = spec
        self._total = sum(spec.row_counts)
        self._orders = Orders(spec.random) if spec.random else None
        self._file_orders = Orders(spec.random) if spec.random else None
        self._open: tuple[int, h5py.File] | None = None

    def shapes(self) -> list[Shape]:
        """Return the shape of each top: (batch size, the row's shape)."""
        change = self.spec.row_transform
        return [(self.spec.batch_size, *(change.shape(shape) if change else shape))
                for shape in self.spec.row_shapes]

    def batch(self, cursor: Cursor, allocate: Allocate | None = None) -> Batch:
        """Read the rows at ``cursor``; one array per dataset."""
        if allocate is None:
            arrays = [np.empty(shape, self.spec.dtype) for shape in self.shapes()]
        else:
            arrays = [allocate(shape) for shape in self.shapes()]
        filled = 0
        for index, rows in self._segments(cursor["record"]):
            count = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
            for top, array in enumerate(arrays):
                self._fill(index, top, rows, cursor["record"] + filled,
                           array[filled:filled + count])
            filled += count
        return Batch(arrays, self.spec.next_cursor(cursor))

    def close(self) -> None:
        """Close the file that is open."""
        if self._open:
            self._open[1].close()
            self._open = None

    def _segments(self, record: int) -> Iterator[tuple[int, slice | np.ndarray]]:
        """Split a batch into runs of rows of one file each, in reading order."""
        wanted = self.spec.batch_size
        while wanted:
            epoch, row = divmod(record, self._total)
            order = self._file_order(epoch)
            ends = np.cumsum(np.array(self.spec.row_counts)[order])
            place = int(np.searchsorted(ends, row, side="right"))
            index = int(order[place])
            row -= int(ends[place]) - self.spec.row_counts[index]
            count = min(wanted, self.spec.row_counts[index] - row)
            rows: slice | np.ndarray = slice(row, row + count)
            if self._orders:
                rows = self._orders.permutation(self.spec.row_counts[index],
                                                "rows", epoch, index)[rows]
            yield index, rows
            record += count
            wanted -= count

    def _file_order(self, epoch: int) -> np.ndarray:
        if self._file_orders:
            return self._file_orders.permutation(len(self.spec.files), "files", epoch)
        return np.arange(len(self.spec.files))

    def _fill(self, index: int, top: int, rows: slice | np.ndarray, record: int,
              out: np.ndarray) -> None:
        """Write rows of one file, the first of which is a record's, to a part of a top."""
        name, shape = self.spec.datasets[top], self.spec.row_shapes[top]
        change = self.spec.row_transform
        if change is None or change.is_kept(shape):
            self._read(index, name, rows, out)
            return
        stored = np.empty((len(out), *shape), out.dtype)
        self._read(index, name, rows, stored)
        change.apply(stored, record, out)

    def _read(self, index: int, name: str, rows: slice | np.ndarray, out: np.ndarray) -> None:
        if self._open is None or self._open[0] != index:
            self.close()
            self._open = index, open_file(self.spec.files[index])
        path = self.spec.files[index]
        dataset = _dataset(self._open[1], name)
        wanted = (self.spec.row_counts[index], *out.shape[1:])
        if dataset.shape != wanted:  # HDF5 would cut the selection and say nothing
            raise DataError(f"dataset '{name}' changed its shape while in use", where=path,
                            got=dataset.shape, wanted=wanted)
        try:
            read_rows(dataset, rows, out)
        except (OSError, TypeError, ValueError) as error:
            raise DataError(f"rows of dataset '{name}' cannot be read; the file may be damaged",
                            where=path, got=str(error)) from error


def read_rows(dataset: h5py.Dataset, rows: slice | np.ndarray, out: np.ndarray) -> None:
    """Read some rows, in the order given, into ``out``, converted to its type by HDF5."""
    if isinstance(rows, slice):
        dataset.read_direct(out, np.s_[rows])
        return
    # HDF5 selects rows in increasing order only; one selection reads each chunk just once.
    order = np.argsort(rows)
    in_order = np.empty_like(out)
    dataset.read_direct(in_order, np.s_[rows[order]])
    out[order] = in_order


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    found = file.get(name)
    if not isinstance(found, h5py.Dataset):
        there = ", ".join(f"'{key}'" for key in file) or "nothing"
        raise DataError(f"the file has no dataset '{name}'", where=file.filename,
                        got=there, remedy="Each top is read from the dataset of its name.")
    if found.dtype.kind not in "fiu" or h5py.check_enum_dtype(found.dtype) is not None:
        raise DataError(f"dataset '{name}' has the wrong type", where=file.filename,
                        got=found.dtype, wanted="floats or integers")
    if not found.shape:
        raise DataError(f"dataset '{name}' has no axes", where=file.filename,
                        got=f"shape {found.shape}", wanted="rows along axis 0")
    return found


def _by_name(names: list[str], shapes: list[Shape]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in zip(names, shapes, strict=True))
