"""MemoryData: batches of arrays that the program holds."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import glog
from ..blob import Blob
from ..errors import DataError, UsageError
from ..proto.caffe_pb2 import Datum
from ..rng import generator
from ..sources.datum import pixels
from ..sources.transform import Picture
from .base import Layer, exactly
from .common.transformation import read_transform

_SIZES = ("batch_size", "channels", "height", "width")


class MemoryData(Layer):
    """Serves consecutive batches of arrays, and starts again after the last.

    ``reset`` takes arrays as they are; ``add_datums`` and ``add_images`` transform pictures:
    ``value = (pixel - mean) * scale``, of crops that may be mirrored.

    tops: (N, C, H, W) values; labels, (N,) before the first pass and (N, 1, 1, 1) after it.

    Raises:
        DataError: a size is missing, or the mean cannot be read.

    Source: Caffe memory_data_layer.cpp.
    """

    bottoms = exactly(0)
    tops = exactly(2)
    capturable = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        given = self.param.memory_data_param
        sizes = tuple(getattr(given, name) for name in _SIZES)
        if min(sizes) < 1:
            raise self.error(DataError, "batch_size, channels, height and width must all be given",
                             at=("memory_data_param",),
                             got=", ".join(f"{name} {size}" for name, size
                                           in zip(_SIZES, sizes, strict=True)))
        self._batch, self._item = sizes[0], sizes[1:]
        self._transform = read_transform(self)
        self._data: np.ndarray | None = None
        self._labels: np.ndarray | None = None
        self._position = self._additions = 0
        self._unread = False
        top[0].reshape(*sizes)
        top[1].reshape(self._batch)

    @property
    def batch_size(self) -> int:
        """Samples in a batch."""
        return self._batch

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        """Change the batch; the next forward pass serves it from the start of the data.

        Raises:
            UsageError: added pictures have not been read to the end, or the size is not positive.
        """
        self._refuse_unread("batch_size cannot be changed")
        if size < 1:
            raise self.error(UsageError, "the batch needs at least one sample", got=size)
        self._batch, self._position = int(size), 0

    def reset(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Serve these arrays, from their start and untransformed; they are not copied.

        Args:
            data: (K, C, H, W), where K is a multiple of the batch size.
            labels: K of them, of any shape.

        Raises:
            DataError: shapes or numbers do not fit.
        """
        if self.param.HasField("transform_param"):
            glog.warning("layer '%s': transform_param is not applied to arrays given by reset",
                         self.name)
        self._set(np.asarray(data), np.asarray(labels))
        self._unread = False

    def add_datums(self, datums: Sequence[Datum]) -> None:
        """Serve the pictures and labels of these Datum messages, transformed.

        Raises:
            UsageError: what was added before has not been read to the end.
            DataError: numbers or sizes do not fit, or a picture cannot be decoded.
        """
        forced = self.param.transform_param
        color = True if forced.force_color else False if forced.force_gray else None
        self.add_images([pixels(datum, color) for datum in datums],
                        [datum.label for datum in datums])

    def add_images(self, images: Sequence[np.ndarray], labels: Sequence[int]) -> None:
        """Serve these (H, W, C) 8-bit pictures, transformed, and their labels.

        Raises:
            UsageError: what was added before has not been read to the end.
            DataError: numbers or sizes do not fit.
        """
        self._refuse_unread("nothing can be added")
        data = np.empty((len(images), *self._item), self.backend.dtype)
        for index, (image, out) in enumerate(zip(images, data, strict=True)):
            shape = self._transform.shape(image.shape)
            if shape != self._item:
                raise self.error(DataError, f"picture {index} does not fit",
                                 at=("memory_data_param",), got=shape,
                                 wanted=f"{self._item} (channels, height, width)")
            rng = None
            if self._transform.draws:
                rng = generator(self.context.seed, self.phase, self.name, "added", index,
                                call=self._additions)
            self._transform.apply(Picture(image), rng, out)
        self._set(data, np.asarray(labels))
        self._additions += 1
        self._unread = True

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Do nothing: shapes change in the forward pass."""

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Copy the next batch to the tops.

        Raises:
            UsageError: there are no data yet.
            DataError: the batch size changed, and the data are not a multiple of it.
        """
        if self._data is None or self._labels is None:
            raise self.error(UsageError, "there are no data to serve",
                             remedy="Call net.set_input_arrays(data, labels) first, or reset, "
                                    "add_datums or add_images of this layer")
        self._check_count(len(self._data), self._position)
        end = self._position + self._batch
        top[0].reshape(self._batch, *self._item)
        # CAFFE-QUIRK: labels have one axis until the first pass and four from then on.
        top[1].reshape(self._batch, 1, 1, 1)
        top[0].host_data[...] = self._data[self._position:end]
        top[1].host_data[:, 0, 0, 0] = self._labels[self._position:end]
        self._position = end % len(self._data)
        if not self._position:
            self._unread = False

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Do nothing: data have no bottoms."""

    def state(self) -> dict[str, Any]:
        """Return the place in the data; the data themselves belong to the program."""
        return {"position": self._position, "additions": self._additions}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on at a place; give the data before, since new data are served from their start."""
        self._position, self._additions = int(state["position"]), int(state["additions"])

    def _set(self, data: np.ndarray, labels: np.ndarray) -> None:
        if data.shape[1:] != self._item:
            raise self.error(DataError, "the data do not fit the layer", at=("memory_data_param",),
                             got=data.shape, wanted=f"(K, {', '.join(map(str, self._item))})")
        self._check_count(len(data))
        if labels.size != len(data):
            raise self.error(DataError, "there must be one label for each sample", got=labels.size,
                             wanted=len(data))
        self._data, self._labels, self._position = data, labels.reshape(-1), 0

    def _check_count(self, count: int, position: int = 0) -> None:
        if position >= count or (count - position) % self._batch:
            raise self.error(DataError, "the samples do not fill whole batches",
                             at=("memory_data_param", "batch_size"), got=count,
                             wanted=f"a multiple of {self._batch}, and not 0")

    def _refuse_unread(self, what: str) -> None:
        if self._unread:
            raise self.error(UsageError,
                             f"{what} until the data added before are read to their end")
