"""Gradient checks in float64: central differences along one random direction a blob."""
from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from caffe_lrcn.backends import Backend
from caffe_lrcn.blob import Blob
from caffe_lrcn.layer_types.base import TEST, Layer
from caffe_lrcn.layer_types.common.recurrent import Recurrent

from .case import Case, make_layer

_STEP = 1e-5
_RTOL = 2e-6
_ATOL = 1e-8


def check_gradients(prototxt: str, bottoms: Sequence[Any], *, wrt: Sequence[int] = (0,),
                    params: Sequence[int] | str = "all", phase: int = TEST,
                    backend: Backend | None = None,
                    mutate: Callable[[Layer], None] | None = None, loss: bool = False,
                    allow_zero: bool = False, seed: int = 1, settings: Any = None,
                    prepare: Callable[[Case], None] | None = None) -> None:
    """Compare backward with central differences of ``sum(top * weight)``.

    Also checks that backward changes no bottom or parameter, overwrites diffs of wanted bottoms,
    leaves the others alone, and adds to diffs of parameters that learn (only those).

    Args:
        wrt: bottoms to differentiate by; the others get no gradient.
        params: parameters to differentiate by, or ``"all"``.
        mutate: breaks the layer on purpose after setup (see ``break_op``).
        loss: weigh the tops by their loss weights, not by random numbers.
        allow_zero: accept a gradient that vanishes along the direction.
        prepare: changes the case (parameter values, state) before the check.

    Raises:
        AssertionError: any of this fails.
    """
    case = make_layer(prototxt, bottoms, phase=phase, backend=backend, seed=seed,
                      settings=settings)
    assert case.layer.backend.dtype == np.float64, "check gradients in float64"
    if prepare:
        prepare(case)
    if mutate:
        mutate(case.layer)
    check = _Check(case, [np.asarray(array, np.float64) for array in bottoms], wrt, loss)
    learn = range(len(case.layer.blobs)) if params == "all" else [int(i) for i in params]
    bottom_grads, param_grads = check.backward()
    for i in wrt:
        check.compare(f"bottom {i}", check.bottoms[i], bottom_grads[i], allow_zero)
    for i in learn:
        check.compare(f"parameter {i}", check.params[i], param_grads[i], allow_zero)
    check.propagation(param_grads)


def check_broken_is_caught(prototxt: str, bottoms: Sequence[Any],
                           mutate: Callable[[Layer], None], **options: Any) -> None:
    """Assert that the check passes, and that it sees the gradient which ``mutate`` breaks."""
    check_gradients(prototxt, bottoms, **options)
    try:
        check_gradients(prototxt, bottoms, mutate=mutate, **options)
    except AssertionError as error:
        assert "gradient by" in str(error), f"caught for another reason: {error}"
    else:
        raise AssertionError("the broken layer passed the gradient check")


class _Check:
    """The point at which a layer is checked, restored before each evaluation."""

    def __init__(self, case: Case, bottoms: list[np.ndarray], wrt: Sequence[int],
                 loss: bool) -> None:
        self.case, self.bottoms, self.wrt = case, bottoms, wrt
        self.rng = np.random.default_rng(7)
        self.params = [blob.host_data.copy() for blob in case.layer.blobs]
        self.state = copy.deepcopy(case.layer.state())
        self.forward()
        # Drawn after a pass, because some shapes are known only then.
        self.weights = [np.full(blob.shape, weight) if loss else self.rng.normal(size=blob.shape)
                        for blob, weight in zip(case.top, case.loss_weights, strict=True)]

    def forward(self) -> list[np.ndarray]:
        case = self.case
        case.layer.restore(copy.deepcopy(self.state))
        for blob, value in zip(case.layer.blobs, self.params, strict=True):
            blob.host_data[...] = value
        for blob, value in zip(case.bottom, self.bottoms, strict=True):
            blob.host_data[...] = value
        case.forward()
        return [blob.host_data.copy() for blob in case.top]

    def objective(self) -> float:
        return sum(float(np.sum(top * weight))
                   for top, weight in zip(self.forward(), self.weights, strict=True))

    def backward(self, propagate: bool = True) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return gradients of all bottoms and parameters at this point."""
        case = self.case
        self.forward()
        bottom_garbage = self._fill_diffs(case.bottom)
        garbage = self._fill_diffs(case.layer.blobs)
        before = [blob.host_data.copy() for blob in (*case.bottom, *case.layer.blobs)]
        down = [propagate and i in self.wrt for i in range(len(case.bottom))]
        case.backward(self.weights, down)
        for blob, value in zip((*case.bottom, *case.layer.blobs), before, strict=True):
            np.testing.assert_array_equal(blob.host_data, value, "backward changed data")
        own = {id(blob._diff) for blob in case.top}
        for i, (blob, value) in enumerate(zip(case.bottom, bottom_garbage, strict=True)):
            if not down[i] and id(blob._diff) not in own:
                np.testing.assert_array_equal(blob.host_diff, value,
                                              f"backward wrote the unwanted diff of bottom {i}")
        grads = [blob.host_diff - value
                 for blob, value in zip(case.layer.blobs, garbage, strict=True)]
        return [blob.host_diff.copy() for blob in case.bottom], grads

    def _fill_diffs(self, blobs: Sequence[Blob]) -> list[np.ndarray]:
        """Put random numbers into diffs: what is overwritten or added to becomes visible."""
        for blob in blobs:
            blob.host_diff[...] = self.rng.normal(size=blob.shape)
        return [blob.host_diff.copy() for blob in blobs]

    def compare(self, what: str, point: np.ndarray, grad: np.ndarray, allow_zero: bool) -> None:
        direction = self.rng.normal(size=point.shape)
        original = point.copy()
        values = []
        for sign in (1, -1):
            point[...] = original + sign * _STEP * direction
            values.append(self.objective())
        point[...] = original
        numeric = (values[0] - values[1]) / (2 * _STEP)
        analytic = float(np.sum(grad * direction))
        scale = abs(numeric) + abs(analytic)
        assert allow_zero or scale > 1e-6, f"{what}: the check is empty, all gradients vanish"
        assert abs(numeric - analytic) <= _ATOL + _RTOL * max(scale, max(map(abs, values))), (
            f"gradient by {what}: backward says {analytic:.10g}, differences {numeric:.10g}")

    def propagation(self, param_grads: list[np.ndarray]) -> None:
        """Check the passes where only parameters, or only bottoms, want a gradient."""
        layer = self.case.layer
        if not layer.blobs:
            self.backward(propagate=False)
            return
        for got, want in zip(self.backward(propagate=False)[1], param_grads, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9,
                                       err_msg="propagate_down changes a parameter's gradient")
        flags, layer.param_propagate_down = layer.param_propagate_down, [False] * len(layer.blobs)
        for grad, want in zip(self.backward()[1], param_grads, strict=True):
            if isinstance(layer, Recurrent):  # as in Caffe, where all of the inner net learns
                np.testing.assert_allclose(grad, want, rtol=1e-9, atol=1e-9)
            else:
                np.testing.assert_array_equal(grad, 0, "a frozen parameter got a gradient")
        layer.param_propagate_down = flags
