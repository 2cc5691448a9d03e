"""From picture files to features with a trained convnet."""
from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

import numpy as np

from ...backends import Backend, get_backend
from ...errors import DataError, NetError
from ...files import read_lines
from ...net.deploy import input_preprocessing, load_trained
from ...paths import resolve
from ...sources.array_file import read_array
from ...sources.folder import pictures_in

_LABEL = re.compile(r"(?<=\.\w{3})\s+\d+$|(?<=\.\w{4})\s+\d+$")


def read_list(path: str | os.PathLike[str]) -> list[str]:
    """Return the pictures that a file lists, one per line, as paths that exist where possible.

    A folder lists its own pictures (``sources.folder``).

    A class number behind the name, as ImageData has it, is dropped. Relative paths count from the
    working directory, or else from the list's folder.

    Raises:
        DataError: the list cannot be read, or is empty.
    """
    if os.path.isdir(path):
        return pictures_in(path)
    try:
        lines = read_lines(path).splitlines()
    except OSError as error:
        raise DataError(f"cannot read the list of pictures: {error.strerror or error}",
                        where=path) from error
    except UnicodeDecodeError as error:
        raise DataError("the list of pictures is not UTF-8 text", where=path, got=error) from error
    names = [_LABEL.sub("", line.strip()) for line in lines if line.strip()]
    if not names:
        raise DataError("the list of pictures is empty", where=path)
    return [resolve(name, os.fspath(path)) for name in names]


class FeatureNet:
    """A convnet that turns pictures into feature vectors.

    Args:
        net_prototxt: the deploy definition: one input (N, C, H, W), one output.
        weights: a ``.caffemodel`` or ``.caffemodel.h5``; layers match by name.
        resize, mean: what pictures go through, if not what the definition says; see
            ``input_preprocessing``.
        backend: where to run; the CPU by default.

    Raises:
        NetError: there are more inputs or outputs.
    """

    def __init__(self, net_prototxt: str | os.PathLike[str], weights: str | os.PathLike[str], *,
                 resize: int | None = None, mean: Sequence[float] | None = None,
                 backend: Backend | None = None) -> None:
        self.net = load_trained(net_prototxt, weights, (), backend or get_backend("cpu"))
        if len(self.net.inputs) != 1 or len(self.net.outputs) != 1:
            raise NetError("the picture net needs one input and one output", where=net_prototxt,
                           got=f"inputs {self.net.inputs}, outputs {self.net.outputs}")
        self.preprocessing = input_preprocessing(self.net, resize, mean)
        self.batch, *self.shape = self.net.blobs[self.net.inputs[0]].shape

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
                source.reshape(len(pictures), *self.shape)
                source.host_data[...] = pictures
                self.net.forward()
                found.append(top.read_data().reshape(len(pictures), -1).copy())
        return np.concatenate(found)

    def _read(self, paths: Sequence[str | os.PathLike[str]],
              broken: dict[str, DataError] | None) -> Iterator[np.ndarray]:
        for path in paths:
            try:
                picture = self.preprocessing(path)
                if list(picture.shape) != self.shape:
                    raise DataError(f"picture '{path}' does not fit the net's input",
                                    got=picture.shape, wanted=tuple(self.shape),
                                    remedy="Use --resize, or let the net's Input layer give "
                                           "new_height and new_width.")
                yield picture
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
    features = read_array(path, "the features")
    if features.ndim < 2 or len(features) == 0:
        raise DataError("the features hold no rows", where=path, got=features.shape,
                        wanted="(N, F)")
    if rows is not None and len(features) != rows:
        raise DataError("there are not as many features as pictures", where=path,
                        got=f"{len(features)} rows", wanted=rows)
    return features
