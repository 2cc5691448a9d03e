"""Rows of HDF5 files, read slice by slice."""
from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence

import h5py
import numpy as np

from ...errors import DataError
from ...hdf5_files import hdf5_errors, member
from ..base import Shape
from ..transform import Picture

_PICTURE_AXES = 3
#: Bytes of each dataset that are read at once, where a batch is smaller: a call of HDF5 takes a
#: hundred times as long as to copy a few rows.
WINDOW = 1 << 18
_UNEVEN = ("Rows of the datasets belong together one by one, so every dataset of a file needs "
           "as many rows.")


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
        with open_file(path) as file, hdf5_errors(path, DataError):
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
    with open_file(path) as file, hdf5_errors(path, DataError):
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
    except Exception as error:
        if not h5py.is_hdf5(path):
            raise DataError("this is not an HDF5 file", where=path,
                            got=f"{os.path.getsize(path)} bytes") from error
        raise DataError("the HDF5 file cannot be opened; it may be truncated", where=path,
                        got=str(error)) from error


class HDF5Rows:
    """Record ``k`` is row ``k`` of all files, one after another; a top takes a dataset's rows.

    One file is open at a time. Of each dataset the rows of a batch are held, or a window of
    ``WINDOW`` bytes around small ones.

    Args:
        files: paths, with the number of rows of each in ``row_counts``.
        datasets: their names, with the shape of a row of each in ``row_shapes``.
        pictures: whether rows of axes (C, H, W) are pictures for the transform.
        dtype: the type that values are converted to.
    """

    def __init__(self, files: Sequence[str], row_counts: Sequence[int], datasets: Sequence[str],
                 row_shapes: Sequence[Shape], pictures: bool = False,
                 dtype: str = "float32") -> None:
        self.files, self.row_counts = files, row_counts
        self.datasets, self.row_shapes, self.dtype = datasets, row_shapes, dtype
        self.count = sum(row_counts)
        self.pictures = [pictures and is_picture(shape) for shape in row_shapes]
        self._ends = np.cumsum(row_counts)
        self._open: tuple[int, h5py.File, list[_Window]] | None = None

    def read(self, numbers: np.ndarray) -> Iterator[_Rows]:
        """Yield the wanted rows of each file, read when they are asked for.

        Raises:
            DataError: a file is missing, or damaged, or another than it was.
        """
        files = np.searchsorted(self._ends, numbers, side="right")
        cuts = (np.flatnonzero(files[1:] - files[:-1]) + 1).tolist()
        for start, stop in zip([0, *cuts], [*cuts, len(numbers)], strict=True):
            index = int(files[start])
            rows = numbers[start:stop] - (int(self._ends[index]) - self.row_counts[index])
            yield _Rows(self, index, rows)

    def place(self, number: int) -> tuple[str, str]:
        """Return the file of a row, and no name."""
        return self.files[int(np.searchsorted(self._ends, number, side="right"))], ""

    def close(self) -> None:
        """Close the file that is open."""
        if self._open:
            self._open[1].close()
            self._open = None

    def read_rows(self, index: int, top: int, rows: slice | np.ndarray, out: np.ndarray) -> None:
        """Read rows of one file's dataset for a top."""
        if self._open is None or self._open[0] != index:
            self.close()
            file = open_file(self.files[index])
            try:
                with hdf5_errors(self.files[index], DataError):
                    self._open = index, file, [_Window(dataset, self.dtype) for dataset
                                               in self._find_datasets(file, index)]
            except BaseException:
                file.close()
                raise
        try:
            self._open[2][top].read(rows, out)
        except Exception as error:  # see hdf5_errors
            raise DataError(f"rows of dataset '{self.datasets[top]}' cannot be read; the file may "
                            "be damaged", where=self.files[index], got=str(error)) from error

    def _find_datasets(self, file: h5py.File, index: int) -> list[h5py.Dataset]:
        """Return the dataset of each top; to look them up takes as long as to read a batch."""
        found = [_dataset(file, name) for name in self.datasets]
        for dataset, name, shape in zip(found, self.datasets, self.row_shapes, strict=True):
            wanted = (self.row_counts[index], *shape)
            if dataset.shape != wanted:  # HDF5 would cut the selection and say nothing
                raise DataError(f"dataset '{name}' changed its shape while in use",
                                where=self.files[index], got=dataset.shape, wanted=wanted)
        return found


class _Window:
    """A dataset, and those of its rows that were read last."""

    def __init__(self, dataset: h5py.Dataset, dtype: str) -> None:
        self._dataset, self._dtype = dataset, dtype
        row_size = math.prod(dataset.shape[1:]) * np.dtype(dtype).itemsize
        self._most = WINDOW // max(row_size, 1)
        self._first = self._end = 0
        self._values = np.empty(0, dtype)

    def read(self, rows: slice | np.ndarray, out: np.ndarray) -> None:
        """Copy rows to ``out``, after reading them if they are not there."""
        count = len(self._dataset)
        if isinstance(rows, slice):
            if rows.start < self._first or rows.stop > self._end:
                if 2 * (rows.stop - rows.start) > self._most:
                    return read_rows(self._dataset, rows, out)
                self._move(rows.start, min(rows.start + self._most, count))
            out[...] = self._values[rows.start - self._first:rows.stop - self._first]
        elif count > self._most:
            read_rows(self._dataset, rows, out)
        else:
            if self._end - self._first < count:
                self._move(0, count)
            self._values.take(rows, axis=0, out=out, mode="clip")

    def _move(self, first: int, end: int) -> None:
        if len(self._values) < end - first:
            self._values = np.empty((end - first, *self._dataset.shape[1:]), self._dtype)
        self._first = self._end = first  # nothing is there if reading fails
        read_rows(self._dataset, slice(first, end), self._values[:end - first])
        self._end = end


class _Rows:
    """Rows of one file."""

    def __init__(self, reader: HDF5Rows, index: int, rows: np.ndarray) -> None:
        self._reader, self._index = reader, index
        self.count = len(rows)
        first, last = int(rows[0]), int(rows[-1])
        self._rows: slice | np.ndarray = rows
        if last - first == self.count - 1 and (rows[1:] > rows[:-1]).all():
            self._rows = slice(first, last + 1)

    def shapes(self) -> list[Shape]:
        """Return the shape of a row of each dataset; (H, W, C) for a picture."""
        return [(*shape[1:], shape[0]) if picture else shape for shape, picture
                in zip(self._reader.row_shapes, self._reader.pictures, strict=True)]

    def pictures(self, top: int) -> list[Picture]:
        """Read the rows that are pictures."""
        rows = np.empty((self.count, *self._reader.row_shapes[top]), self._reader.dtype)
        self.write(top, rows)
        return [Picture(row.transpose(1, 2, 0)) for row in rows]

    def write(self, top: int, out: np.ndarray) -> None:
        """Read the rows to an array."""
        self._reader.read_rows(self._index, top, self._rows, out)


def is_picture(row_shape: Shape) -> bool:
    """Tell whether rows of this shape can be pictures, of axes (C, H, W)."""
    return len(row_shape) == _PICTURE_AXES


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
    found = member(file, name, DataError)
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
