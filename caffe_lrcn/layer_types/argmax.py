"""ArgMax: the largest entries and where they are."""
from __future__ import annotations

import numpy as np

from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import Layer
from .common.checks import axis_of


class ArgMax(Layer):
    """The ``top_k`` largest entries along ``axis``, in descending order.

    With ``axis`` the top has the bottom's shape with ``top_k`` along the axis; it holds indices,
    or the values themselves if ``out_max_val``. Without it the axes from 1 on count as one, and
    the top is (N, 1, top_k) with indices, (N, 2, top_k) with indices and then values if
    ``out_max_val``, with ones appended up to the bottom's number of axes.

    Raises:
        PrototxtError: ``top_k`` is 0 or exceeds the number of entries.
        ShapeError: the bottom has no such axis.
        NetError: a gradient is asked for; there is none.

    Source: Caffe's argmax_layer.
    """

    allows_in_place = False
    backward_reads_bottom = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        param, shape = self.param.argmax_param, list(bottom[0].shape)
        if param.HasField("axis"):
            axis = axis_of(self, bottom[0], param.axis, "argmax_param", "axis")
            view = bottom[0].count_range(0, axis), shape[axis], bottom[0].count_range(axis + 1)
            shape[axis] = param.top_k
        elif shape:
            view = shape[0], bottom[0].count_range(1), 1
            shape = [shape[0], 2 if param.out_max_val else 1, param.top_k,
                     *[1] * (len(shape) - 3)]
        else:
            raise self.error(ShapeError, "the bottom has no axes", got="()", at=("bottom", 0))
        if not 1 <= param.top_k <= view[1]:
            raise self.error(PrototxtError, "top_k must lie between 1 and the number of entries",
                             got=param.top_k, wanted=f"1 to {view[1]}",
                             at=("argmax_param", "top_k"))
        self._view = view
        top[0].reshape(*shape)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        param, xp = self.param.argmax_param, self.xp
        x, (outer, count, inner) = bottom[0].data.reshape(self._view), self._view
        if not x.size:
            return
        take = self.backend.scratch.take
        # CAFFE-QUIRK: of equal entries the last comes first, so they are sought from the end.
        backwards = take((outer, inner, count))
        backwards[...] = x.transpose(0, 2, 1)[:, :, ::-1]
        best = take((param.top_k, outer, inner), np.int32)
        if param.top_k == 1:
            best[0] = xp.argmax(backwards, axis=2, out=take((outer, inner), np.int64))
        else:  # argsort returns a new array
            order = xp.argsort(xp.negative(backwards, out=backwards), axis=2, kind="stable")
            best[...] = order[:, :, :param.top_k].transpose(2, 0, 1)
        xp.subtract(count - 1, best, out=best)
        wanted = [best]
        if param.out_max_val:
            values = take(best.shape)
            for index, out in zip(best, values, strict=True):
                self.backend.softmax_loss.read_classes(x, index, out, self.backend.scratch)
            wanted = [values] if param.HasField("axis") else [best, values]
        parts = top[0].data.reshape(outer, len(wanted), param.top_k, inner)
        for part, found in enumerate(wanted):
            parts[:, part] = found.transpose(1, 0, 2)
