"""HDF5Output: write two blobs to an HDF5 file."""
from __future__ import annotations

import h5py

from ..blob import Blob
from ..errors import DataError, ShapeError
from ..hdf5_files import ForgivingFile
from .base import Layer, exactly

_DATASETS = ("data", "label")
_AXES = 4


class HDF5Output(Layer):
    """Writes its bottoms as datasets ``data`` and ``label`` of four axes, a row each sample.

    Every forward pass appends its batch. With ``strict`` only the first one succeeds, as in
    Caffe. The file is made anew when the net is built. There is no gradient.

    bottoms: values, labels; up to four axes, of the same number of samples along axis 0.

    Raises:
        DataError: the file cannot be made or written, or rows change their shape.
        ShapeError: more than four axes, or unequal numbers of samples.

    Source: Caffe hdf5_output_layer.cpp.
    """

    bottoms = exactly(2)
    tops = exactly(0)
    acts_on_setup = True
    capturable = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._path = self.param.hdf5_output_param.file_name
        if not self._path:
            raise self.error(DataError, "no file_name is given", at=("hdf5_output_param",))
        try:
            self._raw = ForgivingFile(self._path, "w+b")
            self._file = h5py.File(self._raw, "w")
        except OSError as error:
            raise self.error(DataError, f"the file '{self._path}' cannot be made",
                             at=("hdf5_output_param", "file_name"), got=error) from None

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        for index, blob in enumerate(bottom):
            if len(blob.shape) > _AXES:
                raise self.error(ShapeError, "HDF5Output writes blobs of up to four axes",
                                 at=("bottom", index), got=blob.shape)
        rows = [_four_axes(blob)[0] for blob in bottom]
        if rows[0] != rows[1]:
            raise self.error(ShapeError, "values and labels differ in their number of samples",
                             at=("bottom", 1), got=rows[1], wanted=rows[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Append the batch and pass it to the operating system.

        Raises:
            DataError: the disk is full, or samples have another shape than before.
        """
        for name, blob in zip(_DATASETS, bottom, strict=True):
            self._append(name, blob)
        self._file.flush()
        self._check()

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Do nothing: what is written has no gradient."""

    def close(self) -> None:
        """Close the file."""
        if hasattr(self, "_file") and self._file:
            told = self._raw.failure is not None
            self._file.close()
            self._raw.close()
            if not told:
                self._check()

    def _append(self, name: str, blob: Blob) -> None:
        shape = _four_axes(blob)
        values = blob.read_data().reshape(shape)
        try:
            if name not in self._file:
                self._file.create_dataset(name, data=values, maxshape=(None, *shape[1:]))
                return
            dataset = self._file[name]
            if self.context.settings.strict:
                # CAFFE-QUIRK: the datasets are made in every pass, which works once.
                raise self.error(DataError, f"dataset '{name}' exists already",
                                 remedy="Run one forward pass, or do without strict")
            if dataset.shape[1:] != shape[1:]:
                raise self.error(DataError, f"samples of '{name}' changed their shape",
                                 got=shape[1:], wanted=dataset.shape[1:])
            rows = dataset.shape[0]
            dataset.resize(rows + shape[0], axis=0)
            dataset[rows:] = values
        except DataError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            raise self.error(DataError, f"cannot write to '{self._path}'", got=error) from error

    def _check(self) -> None:
        if self._raw.failure is not None:
            raise self.error(DataError, f"cannot write to '{self._path}'", got=self._raw.failure,
                             remedy="Make room on the disk")


def _four_axes(blob: Blob) -> tuple[int, ...]:
    return blob.shape + (1,) * (_AXES - len(blob.shape))
