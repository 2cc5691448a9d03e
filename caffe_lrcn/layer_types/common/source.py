"""The base of layers that read data: batches prepared ahead, a cursor that can be saved."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...blob import Blob
from ...errors import DataError
from ...sources.base import Random, Shape
from ...sources.batcher import BatchSpec, PictureTransform
from ...sources.orders import Order
from ...sources.prefetch import Prefetcher
from ...sources.records.base import Reader
from ..base import Layer, exactly


class SourceLayer(Layer):
    """A layer whose tops are batches of a source. Subclasses define ``make_spec``."""

    capturable = False

    bottoms = exactly(0)

    def make_spec(self) -> BatchSpec:
        """Check the definition and return what to read.

        Raises:
            DataError: the data are missing or of the wrong form.
        """
        raise NotImplementedError

    def top_shapes(self, shapes: list[Shape]) -> list[Shape]:
        """Return the shapes of the tops, given those of a batch's arrays, one a record first."""
        return shapes

    def workers(self) -> int:
        """Return how many processes prepare batches; 0 for a thread."""
        return self.context.settings.workers

    def depth(self) -> int:
        """Return how many batches are prepared ahead, 0 to read each when it is asked for."""
        given = self.param.data_param  # what it says wins
        return max(1, given.prefetch if given.HasField("prefetch")
                   else self.context.settings.prefetch)

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Look at the data; nothing is read ahead before the first forward pass."""
        spec = self.make_spec()
        source = spec.open()
        try:
            self._shapes: list[Shape] = source.shapes()
        finally:
            source.close()
        self._prefetcher = Prefetcher(spec, spec.start_cursor(), shapes=self._shapes,
                                      depth=self.depth(),
                                      workers=self.workers())

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Give the tops the shapes of the last batch."""
        for blob, shape in zip(top, self.top_shapes(self._shapes), strict=True):
            blob.reshape(*shape)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Copy the next batch to the tops; pictures of another size reshape them."""
        batch = self._prefetcher.next()
        self._shapes = [array.shape for array in batch.arrays]
        self.reshape(bottom, top)
        for blob, array in zip(top, batch.arrays, strict=True):
            # Not through host_data, which would first fetch the old batch from a GPU.
            blob.data[...] = self.backend.upload(array.reshape(blob.shape))

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Do nothing: data have no bottoms."""

    def state(self) -> dict[str, Any]:
        """Return the cursor that follows the last batch used."""
        return dict(self._prefetcher.cursor)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on at a saved cursor."""
        cursor = {key: int(value) for key, value in state.items()}
        if cursor.keys() != self._prefetcher.cursor.keys() or not all(
                0 <= value < 1 << 62 for value in cursor.values()):
            raise ValueError(f"{cursor} is not a place in these data")
        self._prefetcher.close()
        self._prefetcher.cursor = cursor

    def close(self) -> None:
        """End the thread or the processes that read ahead."""
        if hasattr(self, "_prefetcher"):
            self._prefetcher.close()

    # Help for subclasses --------------------------------------------------------------------

    def check_source(self, field: str, holds: str, item: str) -> None:
        """Check that the definition names a source and a size of batches.

        Args:
            field: the message with ``source`` and ``batch_size``.
            holds: what the source is, for the error.
            item: what a batch has at least one of, likewise.

        Raises:
            DataError: one of them is missing.
        """
        given = getattr(self.param, field)
        if not given.source:
            raise self.error(DataError, "no source is given", at=(field,),
                             wanted=f"source: {holds}")
        if given.batch_size < 1:
            raise self.error(DataError, f"the batch needs at least one {item}", at=(field,),
                             got=f"batch_size {given.batch_size}")

    def batches(self, reader: Callable[[], Reader], order: Order, batch_size: int,
                transform: PictureTransform) -> BatchSpec:
        """Return what to read, with this layer's random draws and type of numbers."""
        random = Random(self.context.seed, self.phase, self.name)
        return BatchSpec(reader, order, batch_size, random, transform,
                         dtype=self.backend.dtype.name)
