"""Pooling: the largest value of each window, their mean, or one at random."""
from __future__ import annotations

from typing import Any

from .. import glog
from ..backends.specs import PoolSpec
from ..blob import Blob
from .base import Arity, Layer
from .common.stochastic_pool import STOCHASTIC, pool_plan, read_method


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
    _plan: Any = None

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition."""
        param = self.param.pooling_param
        self.method, self._draws = read_method(self, "pooling_param")
        if len(top) > 1 and self.method != "MAX":
            raise self.error("only MAX pooling has a second top, the mask", got=len(top),
                             wanted="1 top", at=("top",))
        self._kernel = self._read_kernel(param)
        self._pad, self._stride = self._pair("pad"), self._pair("stride")
        if param.global_pooling and (self._pad != (0, 0) or self._stride != (1, 1)):
            raise self.error("global_pooling goes with pad 0 and stride 1 only",
                             got=f"pad {self._pad}, stride {self._stride}", at=("pooling_param",))
        if self.method == STOCHASTIC and self._pad != (0, 0):
            raise self.error("STOCHASTIC pooling has no padding", got=self._pad, wanted=(0, 0),
                             at=("pooling_param", "pool"), remedy="Remove pad.")
        if 0 in self._stride:
            raise self.error("stride must be positive", got=self._stride, at=("pooling_param",))
        self._planned: tuple[int, ...] = ()

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the tops' shapes.

        Raises:
            ShapeError: not four axes, padding as wide as the kernel, or a picture smaller than
                the kernel.
        """
        shape = bottom[0].shape
        if len(shape) != 4:
            raise self.error("the input must have four axes", got=shape, wanted="(N, C, H, W)")
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
        spec = self._spec(shape[2:])
        size = spec.output_size((shape[2], shape[3]))
        if min(size) < 1:
            raise self.error("the kernel is larger than the padded input", got=shape[2:],
                             wanted=f"at least {spec.kernel} with padding {spec.pad}",
                             remedy="Feed larger inputs, or pad more.")
        if any((out - 1) * s - p >= n for out, s, p, n in
               zip(size, spec.stride, spec.pad, shape[2:], strict=True)):
            # CAFFE-QUIRK: rounding up with a stride above the kernel makes windows without a
            # pixel; their values are kept as Caffe has them.
            glog.warning("layer '%s': the last pooling windows hold no pixel", self.name)
        self._planned, self._size = shape, size
        self._plan = pool_plan(self, spec, shape, self._draws)

    def _spec(self, size: tuple[int, ...]) -> PoolSpec:
        param = self.param.pooling_param
        kernel = self._kernel or (size[0], size[1])
        if any(p >= k for p, k in zip(self._pad, kernel, strict=True)):
            raise self.error("pad must be smaller than the kernel", got=self._pad,
                             wanted=f"below {kernel}", at=("pooling_param",))
        return PoolSpec(self.method, kernel, self._stride, self._pad,
                        floor=param.round_mode == param.FLOOR)

    def _read_kernel(self, param: Any) -> tuple[int, int] | None:
        """Return the kernel; None stands for the whole picture."""
        given = [field for field in ("kernel_size", "kernel_h", "kernel_w")
                 if param.HasField(field)]
        if param.global_pooling:
            if given:
                raise self.error("global_pooling takes its kernel from the input", got=given[0],
                                 at=("pooling_param", given[0]), remedy="Remove one of them.")
            return None
        if not given:
            raise self.error("the kernel is missing", at=("pooling_param",),
                             remedy="Give kernel_size, or kernel_h and kernel_w, or "
                                    "global_pooling: true.")
        kernel = self._pair("kernel")
        if 0 in kernel:
            raise self.error("the kernel must be positive", got=kernel, at=("pooling_param",))
        return kernel

    def _pair(self, name: str) -> tuple[int, int]:
        """Return (h, w) of kernel, stride or pad, given once or as two halves."""
        param = self.param.pooling_param
        both = "kernel_size" if name == "kernel" else name
        halves = (f"{name}_h", f"{name}_w")
        given = [field for field in halves if param.HasField(field)]
        if len(given) == 1 or (given and param.HasField(both)):
            raise self.error(f"give {both}, or {halves[0]} and {halves[1]}",
                             got=" and ".join(given + [both] * param.HasField(both)),
                             at=("pooling_param", given[0]))
        if given:
            return getattr(param, halves[0]), getattr(param, halves[1])
        if name == "stride" and not param.HasField(both):
            return 1, 1
        return getattr(param, both), getattr(param, both)
