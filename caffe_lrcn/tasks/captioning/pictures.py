"""From picture files to features with a trained convnet."""
from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from ...backends import Backend, get_backend
from ...errors import DataError, NetError
from ...files import read_lines
from ...hints import did_you_mean, misspelt
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
        blob: what to take instead of the output, such as ``fc7``; layers after it do not run.

    Raises:
        NetError: there are more inputs or outputs, or no such blob.
    """

    def __init__(self, net_prototxt: str | os.PathLike[str], weights: str | os.PathLike[str], *,
                 resize: int | None = None, mean: Sequence[float] | None = None,
                 backend: Backend | None = None, blob: str | None = None) -> None:
        self.net = load_trained(net_prototxt, weights, (), backend or get_backend("cpu"))
        if blob is not None and blob not in self.net.blobs:
            raise NetError("the picture net has no such blob", where=net_prototxt, got=blob,
                           wanted=", ".join(self.net.blobs),
                           remedy=did_you_mean(misspelt(blob, self.net.blobs)))
        if len(self.net.inputs) != 1 or len(self.net.outputs) != 1 and blob is None:
            raise NetError("the picture net needs one input and one output", where=net_prototxt,
                           got=f"inputs {self.net.inputs}, outputs {self.net.outputs}")
        self.preprocessing = input_preprocessing(self.net, resize, mean)
        self.batch, *self.shape = self.net.blobs[self.net.inputs[0]].shape
        self.output = blob or self.net.outputs[0]
        # A layer in place writes the blob again: the last one counts.
        self._last = max(index for index, node in enumerate(self.net.nodes)
                         if self.output in node.top_names)

    def features(self, pictures: Iterable[str | os.PathLike[str] | np.ndarray],
                 broken: dict[str, DataError] | None = None) -> np.ndarray:
        """Return one row of features for each picture, (N, F).

        Args:
            pictures: files, or decoded pictures (H, W, 3) uint8 in blue, green, red; never more of
                them are held than a batch of the net has.
            broken: if given, takes the errors of pictures that cannot be read, by path; they have
                no row.

        Raises:
            DataError: a picture cannot be read, and ``broken`` is not given.
        """
        source, top = (self.net.blobs[name] for name in (self.net.inputs[0], self.output))
        found = [np.empty((0, top.count_range(1)), self.net.backend.dtype)]
        ready = self._read(pictures, broken)
        while batch := list(islice(ready, self.batch)):
            source.reshape(len(batch), *self.shape)
            source.host_data[...] = batch
            self.net.forward(end=self._last)
            found.append(top.read_data().reshape(len(batch), -1).copy())
        return np.concatenate(found)

    def _read(self, pictures: Iterable[str | os.PathLike[str] | np.ndarray],
              broken: dict[str, DataError] | None) -> Iterator[np.ndarray]:
        for given in pictures:
            name = "a frame" if isinstance(given, np.ndarray) else f"picture '{given}'"
            try:
                picture = self.preprocessing(given)
                if list(picture.shape) != self.shape:
                    raise DataError(f"{name} does not fit the net's input",
                                    got=picture.shape, wanted=tuple(self.shape),
                                    remedy="Use --resize, or let the net's Input layer give "
                                           "new_height and new_width.")
                yield picture
            except DataError as error:
                if broken is None or isinstance(given, np.ndarray):
                    raise
                broken[os.fspath(given)] = error


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
