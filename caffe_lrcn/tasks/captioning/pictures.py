"""From picture files to features with a trained convnet."""
from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...backends import Backend, get_backend
from ...errors import DataError, NetError, ShapeError, UsageError
from ...language.step_net import load_net
from ...paths import resolve
from ...sources.picture import read_picture
from ...sources.resize import resize

_LABEL = re.compile(r"(?<=\.\w{3})\s+\d+$|(?<=\.\w{4})\s+\d+$")
#: What LRCN subtracts from blue, green and red.
MEAN = (104.0, 117.0, 123.0)


def preprocess(path: str | os.PathLike[str], side: int, full: int,
               mean: Sequence[float] = MEAN) -> np.ndarray:
    """Return a picture as a net takes it, (3, side, side) float32.

    The picture is resized to ``full`` × ``full`` pixels, its centre of ``side`` × ``side`` is cut
    out, and the mean subtracted: what an ImageData layer with ``new_height``, ``new_width`` and
    ``crop_size`` does in the TEST phase, without mirroring.

    Args:
        path: the picture's file.
        side: the net's input size in pixels.
        full: size before cropping, at least ``side``.
        mean: blue, green, red.

    Raises:
        DataError: the picture cannot be read.
        UsageError: ``full`` is less than ``side``.

    Source: the LRCN ``captioner.py``, which crops first and resizes after.
    """
    if full < side:
        raise UsageError("pictures are resized to less than the net's input", got=full,
                         wanted=f"at least {side}")
    start = (full - side) // 2
    pixels = resize(read_picture(os.fspath(path)), full, full)
    pixels = pixels[start:start + side, start:start + side]
    return (pixels - np.asarray(mean, np.float32)).astype(np.float32).transpose(2, 0, 1)


def read_list(path: str | os.PathLike[str]) -> list[str]:
    """Return the pictures that a file lists, one a line, as paths that exist where possible.

    A class number behind the name, as ImageData has it, is dropped. Relative paths count from the
    working directory, or else from the list's folder.

    Raises:
        DataError: the list cannot be read, or is empty.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the list of pictures: {error}", where=path) from error
    names = [_LABEL.sub("", line.strip()) for line in lines if line.strip()]
    if not names:
        raise DataError("the list of pictures is empty", where=path)
    return [resolve(name, os.fspath(path)) for name in names]


class FeatureNet:
    """A convnet that turns pictures into feature vectors.

    Args:
        net_prototxt: the deploy definition: one input (N, 3, S, S), one output.
        weights: a ``.caffemodel`` or ``.caffemodel.h5``; layers match by name.
        full: size that pictures are resized to before the centre is cut out; by default the
            original's proportion, 256 for an input of 227.
        mean: blue, green, red.
        stages: variant of the definition.
        backend: where to run; the CPU by default.
    """

    def __init__(self, net_prototxt: str | os.PathLike[str], weights: str | os.PathLike[str], *,
                 full: int | None = None, mean: Sequence[float] = MEAN,
                 stages: Iterable[str] = (), backend: Backend | None = None) -> None:
        self.net = load_net(net_prototxt, weights, stages, backend or get_backend("cpu"))
        if len(self.net.inputs) != 1 or len(self.net.outputs) != 1:
            raise NetError("the picture net needs one input and one output", where=net_prototxt,
                           got=f"inputs {self.net.inputs}, outputs {self.net.outputs}")
        shape = self.net.blobs[self.net.inputs[0]].shape
        if len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3]:
            raise ShapeError("the picture net takes no square colour pictures",
                             where=net_prototxt, got=shape, wanted="(N, 3, S, S)")
        self.side, self.batch = shape[2], shape[0]
        self.full, self.mean = full or self.side * 256 // 227, mean

    def features(self, paths: Sequence[str | os.PathLike[str]],
                 broken: dict[str, DataError] | None = None) -> np.ndarray:
        """Return one row of features for each picture file, (N, F).

        Args:
            paths: the files.
            broken: if given, takes the errors of pictures that cannot be read, by path; they have
                no row.

        Raises:
            DataError: a picture cannot be read, and ``broken`` is not given.
        """
        source, top = (self.net.blobs[names[0]] for names in (self.net.inputs, self.net.outputs))
        found = [np.empty((0, top.count_range(1)), self.net.backend.dtype)]
        for start in range(0, len(paths), self.batch):
            pictures = list(self._read(paths[start:start + self.batch], broken))
            if pictures:
                source.reshape(len(pictures), 3, self.side, self.side)
                source.host_data[...] = pictures
                self.net.forward()
                found.append(top.read_data().reshape(len(pictures), -1).copy())
        return np.concatenate(found)

    def _read(self, paths: Sequence[str | os.PathLike[str]],
              broken: dict[str, DataError] | None) -> Iterator[np.ndarray]:
        for path in paths:
            try:
                yield preprocess(path, self.side, self.full, self.mean)
            except DataError as error:
                if broken is None:
                    raise
                broken[os.fspath(path)] = error


def read_features(path: str | os.PathLike[str], rows: int | None = None) -> np.ndarray:
    """Return the features in a ``.npy`` file, (N, F) or, of maps, (N, C, H, W).

    Args:
        path: the file.
        rows: N, if it is known.

    Raises:
        DataError: the file cannot be read, or does not hold one row of numbers a picture.
    """
    try:
        features = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read the features: {error}", where=path) from error
    if not isinstance(features, np.ndarray) or features.dtype.kind not in "fiu":
        raise DataError("the features are no array of numbers", where=path)
    if features.ndim < 2 or len(features) == 0:
        raise DataError("the features hold no rows", where=path, got=features.shape,
                        wanted="(N, F)")
    if rows is not None and len(features) != rows:
        raise DataError("there are not as many features as pictures", where=path,
                        got=f"{len(features)} rows", wanted=rows)
    return features
