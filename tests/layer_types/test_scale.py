from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_RNG = np.random.default_rng(0)
_X = _RNG.normal(size=(3, 4, 2, 5))
_FILL = 'filler { type: "gaussian" mean: 1 } bias_filler { type: "gaussian" }'


def _layer(param: str = "", top: str = "y", bottoms: int = 1) -> str:
    names = ' bottom: "x"' + ' bottom: "s"' * (bottoms - 1)
    return (f'layer {{ name: "s" type: "Scale" {names} top: "{top}" '
            f'scale_param {{ {param} }} }}')


def test_recorded(any_backend):
    run_golden("scale", any_backend)


def _scaled_twice(op):
    return lambda x, s, b, y: op(x, s * s, b, y)


def _lost_rows(op):
    return lambda x, *rest: op(x[1:] if len(x) > 1 else x[:, :, 1:], *rest)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("axes", ["", "axis: 0 num_axes: 2", "axis: 1 num_axes: -1", "axis: -1",
                                  "num_axes: 0"])
def test_gradient(axes, top):
    def breaks_backward(name, wrap):
        def mutate(layer):
            forward, true = layer.forward, layer.backend

            def run(*blobs):
                layer.backend = true
                forward(*blobs)
                break_op("elementwise", name, wrap)(layer)
            layer.forward = run
        return mutate
    text = _layer(f"{axes} bias_term: true {_FILL}", top)
    for mutate in (breaks_backward("channel_scale", _scaled_twice),
                   breaks_backward("sum_to_channels", _lost_rows)):
        check_broken_is_caught(text, [_X], mutate)


@pytest.mark.parametrize("bias", ["true", "false"])
def test_gradient_of_two_bottoms(bias):
    text = _layer(f"bias_term: {bias} {_FILL}", bottoms=2)
    check_broken_is_caught(text, [_X, _RNG.normal(size=(4, 2))],
                           break_op("elementwise", "sum_to_channels", _lost_rows), wrt=[0, 1])


def test_gradient_by_a_scalar_bottom():
    check_broken_is_caught(_layer(bottoms=2), [_X, np.array(1.5)],
                           break_op("elementwise", "sum_to_channels",
                                    lambda op: lambda x, *rest: op(2 * x, *rest)), wrt=[1, 0])


@pytest.mark.parametrize(("axes", "shape"), [
    ("", (4,)), ("axis: 0", (3,)), ("axis: -2 num_axes: 2", (2, 5)), ("num_axes: -1", (4, 2, 5)),
    ("num_axes: 0", ())])
def test_parameter_shapes(axes, shape):
    case = make_layer(_layer(axes + " bias_term: true"), [_X])
    assert [blob.shape for blob in case.layer.blobs] == [shape, shape]
    assert (case.layer.blobs[0].host_data == 1).all()
    assert not case.layer.blobs[1].host_data.any()


def test_two_bottoms_leave_the_bias_as_only_parameter():
    case = make_layer(_layer("bias_term: true bias_filler { value: 2 }", bottoms=2),
                      [_X, [1, 2, 3, 4]])
    case.forward()
    assert [blob.shape for blob in case.layer.blobs] == [(4,)]
    want = _X * np.array([1, 2, 3, 4])[:, None, None] + 2
    np.testing.assert_allclose(case.top[0].host_data, want)


@pytest.mark.parametrize(("param", "error"), [
    ("num_axes: -2", PrototxtError), ("axis: 4", ShapeError), ("axis: 3 num_axes: 2", ShapeError)])
def test_impossible_axes_are_refused(param, error):
    with pytest.raises(error, match="scale_param|num_axes|axis"):
        make_layer(_layer(param), [_X])


def test_a_scale_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"got \(3,\), wanted \(4,\)"):
        make_layer(_layer(bottoms=2), [_X, [1, 2, 3]])
