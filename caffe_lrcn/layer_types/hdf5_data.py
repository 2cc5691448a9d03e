"""HDF5Data: each top is a dataset of its name, rows in batches."""
from __future__ import annotations

from functools import partial
from math import prod

from .. import glog
from ..errors import DataError
from ..paths import resolve
from ..sources.base import Shape
from ..sources.batcher import BatchSpec
from ..sources.listing import line_of, read_file_list
from ..sources.orders import Epochs
from ..sources.records import hdf5
from ..sources.transform import Transform
from .base import Arity
from .common.source import SourceLayer
from .common.transformation import read_transform, warn_about_neglected

#: A shuffled row costs this many rows' worth of reading before it is worth a warning.
_FAR_LARGER = 16


class HDF5Data(SourceLayer):
    """Reads rows of the datasets that the tops name.

    ``source`` is a text file with the names of HDF5 files. Batches take ``batch_size``
    consecutive rows, on across files and from the last to the first again. ``shuffle`` permutes
    the files and the rows inside each, anew every epoch.

    ``transform_param`` applies to the datasets of pictures, of four axes: ``value = (pixel - mean)
    * scale`` of crops that may be mirrored, the same for all pictures of a row.

    tops: (batch_size, ...) each, floats and integers converted to the net's type.

    Raises:
        DataError: a file or dataset is missing, damaged or of the wrong form.

    Source: Caffe hdf5_data_layer.cpp.
    """

    tops = Arity(1)

    def make_spec(self) -> BatchSpec:
        """Check the definition and all files, and return what to read."""
        given = self.param.hdf5_data_param
        self.check_source("hdf5_data_param", "a text file that lists HDF5 files", "row")
        source = resolve(given.source, self.context.place.file)
        files = [resolve(name, source) for name in read_file_list(source)]
        datasets = list(self.param.top)
        try:
            row_counts, row_shapes = hdf5.inspect(files, datasets)
        except DataError as error:
            if error.where in files:
                line = line_of(source, files.index(str(error.where)))
                error.message += f" (named at {source}:{line})"
            raise
        if given.shuffle:
            self._warn_about_chunks(files[0], datasets)
        pictures = self.param.HasField("transform_param")
        transform = self._transform(datasets, row_shapes) if pictures else Transform()
        reader = partial(hdf5.HDF5Rows, files, row_counts, datasets, row_shapes, pictures,
                         self.backend.dtype.name)
        order = Epochs(sum(row_counts), given.shuffle, tuple(row_counts))
        return self.batches(reader, order, given.batch_size, transform)

    def workers(self) -> int:
        """Return 0: slices need no decoding, so a thread keeps up."""
        return 0

    def depth(self) -> int:
        """Return 0 for small batches: handing one over would take longer than reading it."""
        small = sum(map(prod, self._shapes)) * self.backend.dtype.itemsize <= hdf5.WINDOW // 4
        return 0 if small else super().depth()

    def _transform(self, datasets: list[str], row_shapes: list[Shape]) -> Transform:
        """Check that the transform fits the rows, and return it."""
        warn_about_neglected(self, "transform_param", ["force_color", "force_gray"],
                             "rows are as they are stored")
        transform = read_transform(self)
        if not any(map(hdf5.is_picture, row_shapes)):
            raise self.error(DataError,
                             "transform_param is for datasets of pictures, and there are none",
                             at=("transform_param",), got=", ".join(map(str, row_shapes)),
                             wanted="rows of (channels, height, width)",
                             remedy="Remove it; a Power or Scale layer scales other data")
        for name, shape in zip(datasets, row_shapes, strict=True):
            try:
                if hdf5.is_picture(shape):
                    transform.shape((*shape[1:], shape[0]))
            except DataError as error:
                error.where, error.layer = self.context.place.at("transform_param"), self.name
                error.message = f"dataset '{name}': {error.message}"
                raise
        return transform

    def _warn_about_chunks(self, file: str, datasets: list[str]) -> None:
        for name in datasets:
            factor = hdf5.read_amplification(file, name)
            if factor >= _FAR_LARGER:
                glog.warning(
                    "layer '%s': dataset '%s' of %s is stored in chunks %.0f times as large as "
                    "a row, so shuffled reading is slow; store it with chunks of one row or "
                    "without chunks", self.name, name, file, factor)
