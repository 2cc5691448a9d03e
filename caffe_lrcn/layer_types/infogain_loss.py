"""InfogainLoss: a softmax loss in which a matrix says how much each mistake costs."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import CaffeError, PrototxtError, ShapeError
from ..paths import resolve
from ..proto.blob_proto import read_blob_proto
from .base import Arity, Layer
from .common.checks import (
    axis_of,
    label_count,
    refuse_label_gradient,
    same_batch,
    scores_first,
)
from .common.labels import LEAST_PROBABILITY, class_labels, label_complaint
from .common.loss_normaliser import VALID, LossSum, ignored_label, normalization_mode


class InfogainLoss(Layer):
    """``loss = -sum(H[label] . log(max(p, 1e-20))) / normaliser`` with ``p = softmax(x)``.

    Bottoms: scores with C classes along ``infogain_loss_param.axis``, one label for each score
    vector, and the matrix H, C x C; without a third bottom H is the file ``source``, an array of
    the .binaryproto form. Tops: the loss, a 0-axis blob, and optionally the probabilities.
    ``loss_param`` gives ``ignore_label`` and the normaliser, as in SoftmaxWithLoss. Gradient:
    ``(p sum(H[label]) - H[label]) / normaliser``, 0 where the label is ignored.

    Raises:
        PrototxtError: no matrix, or the older field ``normalize``.
        ShapeError: scores, labels and matrix do not match.
        DataError: the matrix's file is missing or damaged.
        LabelError: a label that is neither a class nor ignored.
        NetError: the gradient of the labels or of the matrix is asked for.

    Source: Caffe's infogain_loss_layer.
    """

    bottoms = Arity(2, 3)
    bottoms_are = "scores, labels, and the matrix if no source is given"
    tops = Arity(1, 2)
    is_loss = True

    def allow_force_backward(self, bottom: int) -> bool:
        return bottom == 0

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        if self.param.loss_param.HasField("normalize"):
            raise self.error(PrototxtError, "InfogainLoss does not know normalize",
                             at=("loss_param", "normalize"),
                             remedy="Use normalization: VALID (true) or BATCH_SIZE (false).")
        self._ignore = ignored_label(self)
        self._loss = LossSum(self, normalization_mode(self, VALID), "float64")
        self._matrix = bottom[2] if len(bottom) == 3 else self._read_matrix()
        self._prob, self._gains = Blob(self.backend), Blob(self.backend)
        if len(top) == 2:
            self._prob.share_data(top[1])

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        scores_first(self, bottom)
        axis = axis_of(self, bottom[0], self.param.infogain_loss_param.axis,
                       "infogain_loss_param", "axis")
        same_batch(self, bottom)
        self._view = label_count(self, bottom[:2], axis)
        classes = self._view[1]
        if self._matrix.count != classes * classes:
            at = ("bottom", 2) if len(bottom) == 3 else ("infogain_loss_param", "source")
            raise self.error(ShapeError, "the matrix does not fit the classes",
                             got=self._matrix.shape, wanted=f"{classes} x {classes}", at=at)
        self._prob.reshape_like(bottom[0])
        self._gains.reshape(bottom[1].count, classes)  # a row of the matrix for each label
        top[0].reshape()
        if len(top) == 2:
            top[1].reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        xp, take, (outer, classes, inner) = self.xp, self.backend.scratch.take, self._view
        self.backend.softmax_loss.softmax_forward(
            bottom[0].data.reshape(self._view), self._prob.data.reshape(self._view),
            self.backend.scratch)
        labels, terms = self._labels(bottom), self._probabilities()
        index = take(labels.shape)
        index[...] = labels
        self.backend.embed.forward(index, self._matrix.data.reshape(classes, classes), None,
                                   self._gains.data, -1, self.context.scalars.status,
                                   self.backend.scratch)
        xp.log(xp.maximum(terms, LEAST_PROBABILITY, out=terms), out=terms)
        xp.multiply(self._gains.data, xp.negative(terms, out=terms), out=terms)
        xp.copyto(terms, 0, where=xp.less(labels, 0, out=take(labels.shape, bool)))
        add_up, counts = self.backend.update.sum_of_elements, take(labels.shape)
        add_up(terms, self._loss.total, self.backend.scratch)
        counts[...] = xp.greater_equal(labels, 0, out=take(labels.shape, bool))
        add_up(counts, self._loss.valid, self.backend.scratch)
        self._loss.divide(outer, inner, top[0])

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        refuse_label_gradient(self, [*propagate_down[:1], any(propagate_down[1:])])
        if not propagate_down[0]:
            return
        # CAFFE-QUIRK: a gradient that reaches the probabilities, top 1, is not used.
        xp, take, (outer, classes, inner) = self.xp, self.backend.scratch.take, self._view
        labels, gains, slopes = self._labels(bottom), self._gains.data, self._probabilities()
        sums = take(len(labels))
        sums.fill(0)
        self.backend.elementwise.sum_to_channels(gains[None], sums, self.backend.scratch)
        slopes *= sums[:, None]
        slopes -= gains
        factor = self._loss.factor(top[0])
        grads = xp.multiply(slopes, factor, out=take(slopes.shape, factor.dtype))
        xp.copyto(grads, 0, where=xp.less(labels, 0, out=take(labels.shape, bool)))
        by_class = grads.reshape(outer, inner, classes).transpose(0, 2, 1)
        bottom[0].diff.reshape(self._view)[...] = by_class

    def _labels(self, bottom: list[Blob]) -> Any:
        """Return the class of each label, a column; -1 where it does not count."""
        return class_labels(self, bottom[1], self._view[1], self._ignore).reshape(-1, 1)

    def _probabilities(self) -> Any:
        """Return a scratch array with the probabilities, a row for each label."""
        outer, classes, inner = self._view
        rows = self.backend.scratch.take((outer, inner, classes))
        rows[...] = self._prob.data.reshape(self._view).transpose(0, 2, 1)
        return rows.reshape(-1, classes)

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        return label_complaint(self, bottom[1], self._view[1], self._ignore)

    def _read_matrix(self) -> Blob:
        source = self.param.infogain_loss_param.source
        if not source:
            raise self.error(PrototxtError, "the matrix is missing", at=("infogain_loss_param",),
                             remedy="Name its file as source, or give it as a third bottom.")
        array = read_blob_proto(resolve(source, self.context.place.file))
        blob = Blob(self.backend, array.shape)
        blob.host_data[...] = array
        return blob
