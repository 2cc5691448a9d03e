"""A trained net that says what happens in frames: each by itself, or one after another."""
from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np

from ...backends import Backend
from ...blob import Blob
from ...errors import NetError, ShapeError
from ...net.deploy import load_trained

_OUTPUT = "probs"
_SUM = 1e-3  # by which probabilities of a low precision may miss 1


class ClipNet:
    """A deploy net of activity recognition in two parts, each with any number of rows.

    A single-frame net takes ``data`` (B, C, H, W) and gives ``probs`` (B, classes). An LRCN net
    takes ``clip_markers`` (T, N) as well, or (T*N,), and gives (T, N, classes). What it does
    before it looks at the markers concerns each frame by itself: those are its features, computed
    once however many windows a frame is in.

    Args:
        prototxt: the deploy definition.
        weights: a ``.caffemodel`` or ``.caffemodel.h5``; layers match by name.
        stages: variant of the definition.
        backend: where to run.

    Attributes:
        picture_shape: (C, H, W) of a picture.
        classes: how many there are.
        recurrent: whether it reads frames one after another.
        length: T of the definition's clips; 1 of a single-frame net.
        steps, columns: T and N, where the definition fixes them; else None.

    Raises:
        NetError: other inputs or outputs.
        WeightsError: weights that do not fit, or that lack a layer of the net.
    """

    def __init__(self, prototxt: str | os.PathLike[str], weights: str | os.PathLike[str],
                 stages: Iterable[str], backend: Backend) -> None:
        self.net = load_trained(prototxt, weights, stages, backend)
        self.place = os.fspath(prototxt)
        blobs = self.net.blobs
        pictures = [name for name in self.net.inputs if len(blobs[name].shape) == 4]
        markers = [name for name in self.net.inputs if len(blobs[name].shape) in (1, 2)]
        if len(pictures) != 1 or len(markers) > 1 or len(self.net.inputs) > 2:
            raise NetError("the net does not take frames of videos", where=prototxt,
                           got=f"inputs {', '.join(self.net.inputs) or 'none'}",
                           wanted="data (N, C, H, W), and of a recurrent net clip_markers (T, N)",
                           remedy="Name the deploy definition, and its variant with --stage.")
        self._pictures = blobs[pictures[0]]
        self._markers = blobs[markers[0]] if markers else None
        self.input_name = pictures[0]
        self.recurrent = self._markers is not None
        self.picture_shape = self._pictures.shape[1:]
        self._probs = blobs[self._output_name()]
        self.classes = self._probs.shape[-1] if self.recurrent else self._probs.count_range(1)
        self.length = 1
        self.steps: int | None = None
        self.columns: int | None = None
        if self._markers is not None:
            self._find_parts(pictures[0], markers[0])
            self._find_fixed_sizes()

    def features(self, pictures: np.ndarray) -> np.ndarray:
        """Return what the net makes of each picture by itself; of a single-frame net that is all.

        Args:
            pictures: (B, C, H, W), prepared.

        Returns:
            (B, ...); of a single-frame net (B, classes) probabilities.
        """
        if not self.recurrent:
            _fill(self._pictures, pictures)
            self.net.forward()
            return self._checked(self._probs.read_data().reshape(len(pictures), -1).copy())
        if not self._begin:
            return pictures
        _fill(self._pictures, pictures)
        self.net.forward(0, self._begin - 1)
        return self._middle.read_data().copy()

    def clips(self, features: np.ndarray, markers: np.ndarray) -> np.ndarray:
        """Return the probabilities (T, N, classes) of N clips of a recurrent net.

        States are carried on from the last call where a marker is 1; ``reset`` forgets them.

        Args:
            features: (T, N, ...), as ``features`` returns their rows; T is ``steps`` if that is
                fixed. If N is more than ``columns``, states are not carried on.
            markers: (T, N), 0 where a clip begins and 1 elsewhere.
        """
        columns = markers.shape[1]
        most = self.columns or columns
        found = []
        for start in range(0, columns, most):
            part = slice(start, start + most)
            rows, marks = _padded(features[:, part], most), _padded(markers[:, part], most)
            found.append(self._run(rows, marks)[:, :columns - start])
        return found[0] if len(found) == 1 else np.concatenate(found, axis=1)

    def reset(self) -> None:
        """Forget the states: what comes next begins anew."""
        self.net.clear_recurrent_state()

    def _run(self, features: np.ndarray, markers: np.ndarray) -> np.ndarray:
        assert self._markers is not None
        shape = markers.shape if len(self._markers.shape) == 2 else (markers.size,)
        _fill(self._markers, markers.reshape(shape))
        _fill(self._middle, features.reshape(-1, *features.shape[2:]))
        for index in self._marked:
            self.net.forward(index, index)
        self.net.forward(self._begin)
        return self._checked(self._probs.read_data().reshape(*markers.shape, -1).copy())

    def _checked(self, probabilities: np.ndarray) -> np.ndarray:
        sums = probabilities.sum(axis=-1)
        if not (np.abs(sums - 1) < _SUM).all():
            finite = bool(np.isfinite(sums).all())
            raise NetError("the net's output is not a probability for each class",
                           where=self.place,
                           got=f"values that sum to {sums.flat[0]:g}" if finite else "NaN",
                           wanted="the top of a Softmax over the classes" if finite else None,
                           remedy=None if finite else "See that the weights are those of a "
                                                      "training that went well.")
        return probabilities

    def _output_name(self) -> str:
        outputs = self.net.outputs
        if _OUTPUT in self.net.blobs:
            return _OUTPUT
        if len(outputs) == 1:
            return outputs[0]
        raise NetError("the net does not say which output has the probabilities",
                       where=self.place, got=", ".join(outputs), wanted=_OUTPUT)

    def _find_parts(self, pictures: str, markers: str) -> None:
        """Find the layers that look at each frame by itself.

        ``_begin`` is the first layer that looks at the markers and at something else, or that
        reshapes; ``_marked`` are those before it that look at the markers alone (the copies for
        several layers), and ``_middle`` is the blob between the parts: the pictures, if the parts
        cannot be told apart.
        """
        marked, self._marked = {markers}, []
        nodes = self.net.nodes
        self._begin, self._middle = len(nodes), self._pictures
        for index, node in enumerate(nodes):
            seen = set(node.bottom_names)
            if seen and seen <= marked:
                self._marked.append(index)
                marked |= set(node.top_names)
            elif seen & marked or node.layer.type == "Reshape":
                self._begin = index
                break
        made = {name for node in nodes[:self._begin] for name in node.top_names} - marked
        used = {name for node in nodes[self._begin:] for name in node.bottom_names}
        between = [self.net.blobs[name] for name in sorted(made & used)]
        if len(between) == 1 and between[0].shape[:1] == self._pictures.shape[:1]:
            self._middle = between[0]
        if self._middle is self._pictures:
            self._begin = 0
            self._marked = []

    def _find_fixed_sizes(self) -> None:
        """Find T and N where a Reshape has them in numbers, as the original's deploy nets do."""
        assert self._markers is not None
        shape = self._probs.shape
        if len(shape) != 3 or shape[0] * shape[1] != self._pictures.shape[0]:
            raise NetError("the net's output does not fit its frames", where=self.place,
                           got=f"{shape} for {self._pictures.shape[0]} frames",
                           wanted="(T, N, classes), T x N being the frames")
        steps, columns = shape[:2]
        self.length = steps
        self.steps = None if self._takes(steps + 1, columns) else steps
        self.columns = None if self._takes(steps, columns + 1) else columns
        self._takes(steps, columns)

    def _takes(self, steps: int, columns: int) -> bool:
        """Tell whether the net takes clips of another length or number."""
        assert self._markers is not None
        self._pictures.reshape(steps * columns, *self.picture_shape)
        self._markers.reshape(*((steps, columns) if len(self._markers.shape) == 2 else
                                (steps * columns,)))
        try:
            self.net.reshape()
        except (NetError, ShapeError):
            return False
        return self._probs.shape[:2] == (steps, columns)


def _fill(blob: Blob, values: np.ndarray) -> None:
    blob.reshape(*values.shape)
    blob.host_data[...] = values


def _padded(values: np.ndarray, columns: int) -> np.ndarray:
    """Return values (T, N, ...) with the last column repeated up to ``columns``."""
    missing = columns - values.shape[1]
    return values if not missing else np.pad(
        values, [(0, 0), (0, missing), *[(0, 0)] * (values.ndim - 2)], mode="edge")
