"""Accuracy: the share of right classifications."""
from __future__ import annotations

from typing import Any

import numpy as np

from .. import glog
from ..blob import Blob
from ..errors import CaffeError, NetError, PrototxtError, ShapeError
from .base import Arity, Layer, exactly
from .common.checks import axis_of, label_count, scores_first, transposed_remedy
from .common.labels import class_labels, label_complaint


class Accuracy(Layer):
    """Share of labels whose score is among the ``top_k`` best.

    Bottoms: scores, with the classes along ``axis``, and one label for each score vector. Tops:
    the share, a 0-axis blob (0 if no label counts), and optionally the share for each class (C,)
    (0 for a class without labels). Labels equal to ``ignore_label`` do not count. A positive
    ``denominator`` replaces the number of labels in the first top.

    Raises:
        PrototxtError: ``top_k`` is 0 or exceeds the number of classes; a negative ``denominator``.
        ShapeError: scores and labels do not match.
        LabelError: a label that is neither a class nor ignored.
        NetError: a gradient is asked for.

    Source: Caffe's accuracy_layer; ``denominator`` is from the LRCN activity branch.
    """

    bottoms = exactly(2)
    bottoms_are = "scores, labels"
    tops = Arity(1, 2)
    backward_reads_bottom = False

    def allow_force_backward(self, bottom: int) -> bool:
        return False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.accuracy_param
        if not param.denominator >= 0:
            raise self.error(PrototxtError, "denominator must not be negative",
                             got=f"{param.denominator:g}",
                             wanted="a positive number, or 0 for the number of labels",
                             at=("accuracy_param", "denominator"))
        self._ignore = param.ignore_label if param.HasField("ignore_label") else None
        self._hits, self._valid = (self.backend.zeros(1).reshape(()) for _ in range(2))
        self._classes = self.backend.upload(np.arange(0))
        self._warned = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.accuracy_param
        scores_first(self, bottom)
        axis = axis_of(self, bottom[0], param.axis, "accuracy_param", "axis")
        outer, classes, inner = label_count(self, bottom, axis)
        transposed = transposed_remedy(bottom[0].shape[:axis], bottom[1].shape)
        if transposed and bottom[1].shape[:2] != bottom[0].shape[:2]:
            raise self.error(ShapeError, "predictions and labels are laid out differently",
                             at=("bottom", 1), got=f"{bottom[0].shape} and {bottom[1].shape}",
                             remedy=transposed)
        if not 1 <= param.top_k <= classes:
            raise self.error(PrototxtError, "top_k must lie between 1 and the number of classes",
                             got=param.top_k, wanted=f"1 to {classes}",
                             at=("accuracy_param", "top_k"))
        self._view, self._label_view = (outer, classes, inner), (outer, inner)
        top[0].reshape()
        if len(top) == 2:
            top[1].reshape(classes)
            if self._classes.size != classes:
                self._classes = self.backend.upload(np.arange(classes, dtype=np.int32))

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        xp, backend = self.xp, self.backend
        labels = class_labels(self, bottom[1], self._view[1], self._ignore)
        labels = labels.reshape(self._label_view)
        right = backend.scratch.take(labels.shape, np.int32)
        backend.softmax_loss.accuracy(
            bottom[0].data.reshape(self._view), labels, self.param.accuracy_param.top_k, right,
            self._hits, self._valid, self.context.scalars.status, backend.scratch)
        xp.maximum(self._valid, 1, out=self._valid)
        xp.divide(self._hits, self.param.accuracy_param.denominator or self._valid,
                  out=top[0].data)
        if len(top) == 2:
            self._write_shares(labels, right, top[1].data)

    def _write_shares(self, labels: Any, right: Any, shares: Any) -> None:
        """Write each class's share of right labels, both of them (outer, inner)."""
        xp, take = self.xp, self.backend.scratch.take
        members = take(self._view, bool)
        xp.equal(labels[:, None], self._classes[:, None], out=members)
        all_, hits = take(shares.shape, "float64"), take(shares.shape, "float64")
        xp.sum(members, axis=(0, 2), dtype="float64", out=all_)
        xp.logical_and(members, right[:, None], out=members)
        xp.sum(members, axis=(0, 2), dtype="float64", out=hits)
        hits /= xp.maximum(all_, 1, out=all_)
        shares[...] = hits

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if any(propagate_down):
            raise self.error(NetError, "Accuracy has no gradient",
                             remedy="Remove its propagate_down or loss_weight.")

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        """Refuse labels that are not a class, and say once that scores are NaN."""
        error = label_complaint(self, bottom[1], self._view[1], self._ignore,
                                "Set num_output of the layer below to the number of classes, or "
                                "accuracy_param { ignore_label } for labels that are padding.")
        if error or self._warned:
            return error
        scores = bottom[0].read_data().reshape(self._view)
        label = bottom[1].read_data().reshape(self._label_view).astype(np.intp)
        kept = label != self._ignore
        true = np.take_along_axis(scores, np.where(kept, label, 0)[:, None], axis=1)[:, 0]
        if np.isnan(true[kept]).any():
            self._warned = True
            glog.warning("%s: layer '%s': some scores are NaN and count as right: the accuracy "
                         "means nothing", self.context.place.at(), self.name)
        return None
