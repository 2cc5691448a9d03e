"""Pooling: the largest value of each window, their mean, or one at random."""
from __future__ import annotations

from typing import Any

from .. import glog
from ..backends.specs import PoolSpec
from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import Arity, Layer
from .common.stochastic_pool import STOCHASTIC, pool_plan, read_method
from .common.window import resolve_window


class Pooling(Layer):
    """Reduce windows of (N, C, H, W) to their maximum, their mean, or an element of theirs.

    The pooled size is ``round((in + 2p - k) / s) + 1`` with the ``round_mode`` CEIL or FLOOR; see
    ``PoolSpec``. MAX takes the first maximum; a second top gets its flat index h*W+w. AVE divides
    by the window's area in the padded picture, padding included. STOCHASTIC, without padding, is
    described at ``StochasticPool``. ``engine`` is accepted and changes nothing. Source: Caffe's
    pooling_layer.
    """

    tops = Arity(1, 2)
    allows_in_place = False
    backward_reads_bottom = False
    _plan: Any = None

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition."""
        param = self.param.pooling_param
        self.method, self._draws = read_method(self, "pooling_param")
        if len(top) > 1 and self.method != "MAX":
            raise self.error(PrototxtError, "only MAX pooling has a second top, the mask",
                             got=len(top), wanted="1 top", at=("top",))
        self._window = window = resolve_window(self, param, "pooling_param", 2)
        self._check_kernel(window.kernel)
        if param.global_pooling and (window.pad != (0, 0) or window.stride != (1, 1)):
            raise self.error(PrototxtError, "global_pooling goes with pad 0 and stride 1 only",
                             got=f"pad {window.pad}, stride {window.stride}", at=("pooling_param",))
        if self.method == STOCHASTIC and window.pad != (0, 0):
            raise self.error(PrototxtError, "STOCHASTIC pooling has no padding", got=window.pad,
                             wanted=(0, 0), at=("pooling_param", "pool"), remedy="Remove pad.")
        if 0 in window.stride:
            raise self.error(PrototxtError, "stride must be positive", got=window.stride,
                             at=("pooling_param",))
        self._planned: tuple[int, ...] = ()

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the tops' shapes.

        Raises:
            ShapeError: not four axes, padding as wide as the kernel, or a picture smaller than
                the kernel.
        """
        shape = bottom[0].shape
        if len(shape) != 4:
            raise self.error(ShapeError, "the input must have four axes", got=shape,
                             wanted="(N, C, H, W)")
        if shape != self._planned:
            self._make_plan(shape)
        for blob in top:
            blob.reshape(*shape[:2], *self._size)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Pool, and hand the mask out if there is a top for it."""
        self._plan.forward(bottom[0].data, top[0].data)
        if len(top) > 1:
            top[1].data[...] = self._plan.mask.reshape(top[1].shape)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Hand the first top's gradient to the pixels that it came from."""
        if propagate_down[0]:
            self._plan.backward(top[0].diff, bottom[0].diff)

    def state(self) -> dict[str, Any]:
        """Return how often random numbers have been drawn, if they are."""
        return {"calls": self._draws.calls} if self._draws else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with the random numbers after those."""
        if self._draws:
            self._draws.calls = int(state["calls"])

    def _make_plan(self, shape: tuple[int, ...]) -> None:
        # For readers, too; the kernel of global pooling is the picture.
        self.spec = spec = self._make_spec(shape[2:])
        size = spec.output_size((shape[2], shape[3]))
        if min(*size, *shape[2:]) < 1:
            raise self.error(ShapeError, "the kernel is larger than the padded input",
                             got=shape[2:],
                             wanted=f"at least {spec.kernel} with padding {spec.pad}",
                             remedy="Feed larger inputs, or pad more.")
        if any((out - 1) * s - p >= n for out, s, p, n in
               zip(size, spec.stride, spec.pad, shape[2:], strict=True)):
            # CAFFE-QUIRK: rounding up with a stride above the kernel makes windows without a
            # pixel; their values are kept as Caffe has them.
            glog.warning("layer '%s': the last pooling windows hold no pixel", self.name)
        self._planned, self._size = shape, size
        self._plan = pool_plan(self, spec, shape, self._draws)

    def _make_spec(self, size: tuple[int, ...]) -> PoolSpec:
        param = self.param.pooling_param
        kernel, stride, pad = self._window.kernel or size, self._window.stride, self._window.pad
        if any(p >= k for p, k in zip(pad, kernel, strict=True)):
            raise self.error(PrototxtError, "pad must be smaller than the kernel", got=pad,
                             wanted=f"below {kernel}", at=("pooling_param",))
        return PoolSpec(self.method, (kernel[0], kernel[1]), (stride[0], stride[1]),
                        (pad[0], pad[1]), floor=param.round_mode == param.FLOOR)

    def _check_kernel(self, kernel: tuple[int, ...]) -> None:
        """Check that a kernel is given, unless it is the whole picture."""
        if self.param.pooling_param.global_pooling:
            if kernel:
                raise self.error(PrototxtError, "global_pooling takes its kernel from the input",
                                 got=kernel, at=("pooling_param", "global_pooling"),
                                 remedy="Remove one of them.")
        elif not kernel:
            raise self.error(PrototxtError, "the kernel is missing", at=("pooling_param",),
                             remedy="Give kernel_size, or kernel_h and kernel_w, or "
                                    "global_pooling: true.")
        elif 0 in kernel:
            raise self.error(PrototxtError, "the kernel must be positive", got=kernel,
                             at=("pooling_param",))
