"""ArgMax: the largest entries and where they are."""
from __future__ import annotations

from typing import Any

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
        x, count = bottom[0].data.reshape(self._view), self._view[1]
        if not x.size:
            return
        # CAFFE-QUIRK: of equal entries the last comes first, so they are sought from the end.
        backwards = x[:, ::-1]
        if param.top_k == 1:
            best = xp.argmax(backwards, axis=1)[:, None]
        else:
            best = xp.argsort(-backwards, axis=1, kind="stable")[:, :param.top_k]
        best = count - 1 - best
        if not param.out_max_val:
            top[0].data[...] = best.reshape(top[0].shape)
        elif param.HasField("axis"):
            top[0].data[...] = self._values(x, best).reshape(top[0].shape)
        else:
            both = top[0].data.reshape(len(x), 2, param.top_k)
            both[:, 0], both[:, 1] = best[:, :, 0], self._values(x, best)[:, :, 0]

    def _values(self, x: Any, index: Any) -> Any:
        return self.xp.take_along_axis(x, index, axis=1)
