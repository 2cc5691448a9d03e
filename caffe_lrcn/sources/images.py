"""Pictures of a list with their labels, decoded, resized and transformed."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..paths import resolve
from .base import Allocate, Batch, Cursor, Orders, Shape, Stream
from .listing import PictureList
from .picture import read_picture
from .resize import enlarged_size, resize
from .transform import Transform


@dataclass(frozen=True)
class ImageSpec:
    """Pictures to read. Record ``k`` is entry ``k % entries`` of epoch ``k // entries``.

    Args:
        pictures: names, labels and line numbers.
        root_folder: written before every name as it is.
        beside: files in whose folders relative names are looked for, after the working folder.
        stream: names the draws of shuffling, skipping, mirroring and cropping.
        rand_skip: start at a random entry below this.
        new_size: (height, width) to resize to, or None.
        min_size: smallest (height, width), reached by enlarging, or None.
    """

    pictures: PictureList
    batch_size: int
    transform: Transform
    stream: Stream
    root_folder: str = ""
    beside: tuple[str | None, ...] = ()
    shuffle: bool = False
    rand_skip: int = 0
    new_size: tuple[int, int] | None = None
    min_size: tuple[int, int] | None = None
    color: bool = True
    dtype: str = "float32"

    def open(self) -> ImageSource:
        """Return a source over these pictures."""
        return ImageSource(self)

    def start_cursor(self) -> Cursor:
        """Return the cursor of the first batch, ``rand_skip`` respected."""
        if not self.rand_skip:
            return {"record": 0}
        return {"record": int(self.stream.generator("rand_skip").integers(self.rand_skip))}

    def next_cursor(self, cursor: Cursor) -> Cursor:
        """Return the cursor one batch further."""
        return {"record": cursor["record"] + self.batch_size}


class ImageSource:
    """Reads batches of pictures and labels."""

    def __init__(self, spec: ImageSpec) -> None:
        self.spec = spec
        self._orders = Orders(spec.stream)

    def shapes(self) -> list[Shape]:
        """Return the shapes of pictures and labels, from the first picture."""
        first = self._entry(self.spec.start_cursor()["record"])
        return [(self.spec.batch_size, *self._shape(self._load(first), first)),
                (self.spec.batch_size,)]

    def batch(self, cursor: Cursor, allocate: Allocate | None = None) -> Batch:
        """Read the pictures at ``cursor``: (N, C, H, W) values and (N,) labels.

        Raises:
            DataError: a picture is missing, damaged, or of another size than the first one.
        """
        spec = self.spec
        arrays: list[np.ndarray] = []
        first_shape: Shape = ()
        for item in range(spec.batch_size):
            record = cursor["record"] + item
            entry = self._entry(record)
            image = self._load(entry)
            shape = self._shape(image, entry)
            if not item:
                first_shape = shape
                arrays = [allocate(shape) if allocate else np.empty(shape, spec.dtype) for shape
                          in ((spec.batch_size, *shape), (spec.batch_size,))]
            elif shape != first_shape:
                raise self._size_error(entry, shape, self._entry(cursor["record"]), first_shape)
            rng = spec.stream.generator("record", record) if spec.transform.draws else None
            spec.transform.apply(image, rng, arrays[0][item])
            arrays[1][item] = spec.pictures.labels[entry]
        return Batch(arrays, spec.next_cursor(cursor))

    def close(self) -> None:
        """Nothing stays open."""

    def _entry(self, record: int) -> int:
        """Return the place in the list of a record."""
        epoch, entry = divmod(record, len(self.spec.pictures))
        if self.spec.shuffle:
            order = self._orders.permutation(len(self.spec.pictures), "shuffle", epoch)
            entry = int(order[entry])
        return entry

    def _path(self, entry: int) -> str:
        return resolve(self.spec.root_folder + self.spec.pictures.names[entry],
                       *self.spec.beside)

    def _load(self, entry: int) -> np.ndarray:
        """Decode and resize a picture to (H, W, C)."""
        spec = self.spec
        try:
            image = read_picture(self._path(entry), spec.color)
        except DataError as error:
            error.where = self._where(entry)
            if "\t" in spec.pictures.names[entry]:
                error.remedy = "Separate name and label by a space, not a tab."
            raise
        if spec.min_size:
            image = resize(image, *enlarged_size(image.shape[:2], spec.min_size))
        return resize(image, *spec.new_size) if spec.new_size else image

    def _shape(self, image: np.ndarray, entry: int) -> Shape:
        try:
            return self.spec.transform.shape(image.shape)
        except DataError as error:
            error.message = f"picture '{self._path(entry)}': {error.message}"
            error.where = self._where(entry)
            raise

    def _where(self, entry: int) -> str:
        return f"{self.spec.pictures.file}:{self.spec.pictures.lines[entry]}"

    def _size_error(self, entry: int, shape: Shape, first: int, first_shape: Shape) -> DataError:
        return DataError(
            f"picture '{self._path(entry)}' has another size than the first of its batch",
            where=self._where(entry), got=_size(shape),
            wanted=f"{_size(first_shape)} as '{self._path(first)}' ({self._where(first)})",
            remedy="Set new_height and new_width, or crop_size, or batch_size 1.")


def _size(shape: Shape) -> str:
    return f"{shape[1]}x{shape[2]} (height x width)"
