"""Pictures of a list with their labels, decoded, resized and transformed."""
from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..paths import resolve
from .base import Allocate, Batch, Cursor, Orders, Random, Shape
from .listing import PictureList
from .picture import read_picture
from .resize import enlarged_size, resize
from .transform import Transform

TAB_REMEDY = "Separate name and label by a space, not a tab."


@dataclass(frozen=True)
class ImageSpec:
    """Pictures to read. Record ``k`` is entry ``k % entries`` of epoch ``k // entries``.

    Args:
        pictures: names, labels and line numbers.
        root_folder: written before every name as it is.
        beside: files in whose folders relative names are looked for, after the working folder.
        random: names the draws of shuffling, skipping, mirroring and cropping.
        rand_skip: start at a random entry below this.
        new_size: (height, width) to resize to, or None.
        min_size: smallest (height, width), reached by enlarging, or None.
    """

    pictures: PictureList
    batch_size: int
    transform: Transform
    random: Random
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
        return {"record": int(self.random.generator("rand_skip").integers(self.rand_skip))}

    def missing(self) -> list[int]:
        """Return the entries whose files do not exist; each folder is looked into once."""
        found: dict[str, set[str]] = {}
        entries = []
        for entry, name in enumerate(self.pictures.names):
            folder, file = os.path.split(self.root_folder + name)
            if folder not in found:
                found[folder] = self._files_in(folder)
            # Names may differ in case or in the form of their accents where that does not matter.
            if file not in found[folder] and not os.path.exists(self.path(entry)):
                entries.append(entry)
        return entries

    def path(self, entry: int) -> str:
        """Return where the picture of an entry is."""
        return resolve(self.root_folder + self.pictures.names[entry], *self.beside)

    def where(self, entry: int) -> str:
        """Return ``list:line`` of an entry."""
        return f"{self.pictures.file}:{self.pictures.lines[entry]}"

    def _files_in(self, folder: str) -> set[str]:
        files: set[str] = set()
        for base in (".", *(os.path.dirname(file) for file in self.beside if file is not None)):
            with suppress(OSError):
                files.update(os.listdir(os.path.join(base, folder)))
        return files

    def next_cursor(self, cursor: Cursor) -> Cursor:
        """Return the cursor one batch further."""
        return {"record": cursor["record"] + self.batch_size}


class ImageSource:
    """Reads batches of pictures and labels."""

    def __init__(self, spec: ImageSpec) -> None:
        self.spec = spec
        self._orders = Orders(spec.random)

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
            rng = spec.random.generator("record", record) if spec.transform.draws else None
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

    def _load(self, entry: int) -> np.ndarray:
        """Decode and resize a picture to (H, W, C)."""
        spec = self.spec
        try:
            image = read_picture(self.spec.path(entry), spec.color)
        except DataError as error:
            error.where = self.spec.where(entry)
            if "\t" in spec.pictures.names[entry]:
                error.remedy = TAB_REMEDY
            raise
        if spec.min_size:
            image = resize(image, *enlarged_size(image.shape[:2], spec.min_size))
        return resize(image, *spec.new_size) if spec.new_size else image

    def _shape(self, image: np.ndarray, entry: int) -> Shape:
        try:
            return self.spec.transform.shape(image.shape)
        except DataError as error:
            error.message = f"picture '{self.spec.path(entry)}': {error.message}"
            error.where = self.spec.where(entry)
            raise

    def _size_error(self, entry: int, shape: Shape, first: int, first_shape: Shape) -> DataError:
        return DataError(
            f"picture '{self.spec.path(entry)}' has another size than the first of its batch",
            where=self.spec.where(entry), got=_size(shape),
            wanted=f"{_size(first_shape)} as '{self.spec.path(first)}' ({self.spec.where(first)})",
            remedy="Set new_height and new_width, or crop_size, or batch_size 1.")


def _size(shape: Shape) -> str:
    return f"{shape[1]}x{shape[2]} (height x width)"
