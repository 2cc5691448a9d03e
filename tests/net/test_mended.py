"""Defects of Caffe that docs/differences.md calls mended: gradients equal differences here."""
import numpy as np
import pytest

from caffe_lrcn.errors import NetError
from caffe_lrcn.layer_types.common.recurrent import Recurrent
from tests.harness.layers import make_layer

from .test_net import make

X = np.random.default_rng(3).uniform(0.2, 2, (2, 3, 2, 2)) * np.where(
    np.arange(24).reshape(2, 3, 2, 2) % 2, 1, -1)
INPUT = ('force_backward: true layer { name: "x" type: "Input" top: "x" input_param { shape { '
         'dim: 2 dim: 3 dim: 2 dim: 2 } } }')
CONT = ('layer { name: "c" type: "DummyData" top: "c" dummy_data_param { shape { dim: 2 dim: 3 } '
        'data_filler { value: 1 } } }')
RECURRENT = ('layer {{ name: "m" type: "{}" bottom: "x" bottom: "c" top: "m" recurrent_param {{ '
             'num_output: 2 weight_filler {{ type: "gaussian" std: 0.5 }} }} }}')
FLATTEN = 'layer { name: "f" type: "Flatten" bottom: "m" top: "f" }'
SQUARES = ('layer { name: "r" type: "Reduction" bottom: "%s" top: "r" loss_weight: 1 '
           'reduction_param { operation: SUMSQ } }')


def gradient(net, x=X):
    net.blobs["x"].host_data[...] = x
    loss = net.forward()
    net.clear_param_diffs()
    net.backward()
    return loss, net.blobs["x"].host_diff.copy()


def fresh(net):
    """Clear the states that recurrent layers carry."""
    for layer in net.layers:
        if isinstance(layer, Recurrent):
            layer.reset()
    return net


def check(net, step=1e-6):
    _, got = gradient(net)
    direction = np.cos(np.arange(X.size)).reshape(X.shape)
    losses = [gradient(fresh(net), X + sign * step * direction)[0] for sign in (1, -1)]
    assert np.any(got)
    assert np.sum(got * direction) == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("middle", [
    'layer { name: "m" type: "Reshape" bottom: "x" top: "m" reshape_param { shape { dim: 0 '
    'dim: -1 dim: 1 } } }',
    'layer { name: "m" type: "Concat" bottom: "x" top: "m" }',
    'layer { name: "m" type: "Slice" bottom: "x" top: "m" }',
    CONT + RECURRENT.format("LSTM"), CONT + RECURRENT.format("RNN"),
], ids=["Reshape", "Concat", "Slice", "LSTM", "RNN"])
def test_gradients_reach_what_lies_under_flatten(middle):
    below = ('layer { name: "p" type: "TanH" bottom: "x" top: "h" }'
             + middle.replace('bottom: "x"', 'bottom: "h"'))
    check(make(INPUT + below + FLATTEN + SQUARES % "f"))


@pytest.mark.parametrize("layer", [
    'type: "Power" power_param { power: 2 shift: 0.3 }', 'type: "BNLL"',
    'type: "Clip" clip_param { min: -1 max: 1 }', 'type: "MVN"',
    'type: "ReLU" relu_param { negative_slope: -0.5 }', 'type: "LRN" lrn_param { alpha: 2 }'])
def test_gradients_in_place(layer):
    text = 'layer { name: "h" type: "Power" bottom: "x" top: "h" power_param { scale: 1.5 } }'
    text += 'layer { name: "m" bottom: "h" top: "h" ' + layer + " }"
    weigh = ('layer { name: "w" type: "Power" bottom: "h" top: "w" power_param { power: 3 '
             'shift: 0.1 } }')
    check(make(INPUT + text + weigh + SQUARES % "w"))


def test_a_scale_of_the_whole_shape_adds_up_passes():
    net = make(INPUT + 'layer { name: "s" type: "Scale" bottom: "x" top: "s" scale_param { '
               'axis: 0 num_axes: -1 } loss_weight: 1 }')
    gradient(net)
    first = net.params["s"][0].host_diff.copy()
    net.forward()
    net.backward()
    np.testing.assert_array_equal(first, X)
    np.testing.assert_array_equal(net.params["s"][0].host_diff, 2 * X)


def test_the_loss_weight_of_a_parameter_counts():
    net = make('layer { name: "p" type: "Parameter" top: "p" loss_weight: 3 '
               'parameter_param { shape { dim: 2 } } }')
    net.params["p"][0].host_data[...] = [1, 2]
    for _ in range(2):
        net.clear_param_diffs()
        assert net.forward() == 9
        net.backward()
        assert net.params["p"][0].host_diff.tolist() == [3, 3]


def test_a_reader_of_one_top_leaves_the_loss_weight_of_the_other():
    net = make(INPUT + 'layer { name: "h" type: "Power" bottom: "x" top: "h" } layer { name: "s" '
               'type: "Slice" bottom: "h" top: "a" top: "b" slice_param { slice_point: 1 } '
               'loss_weight: 2 loss_weight: 5 }' + SQUARES % "a")
    check(net)
    first, second = X[:, :1], X[:, 1:]
    assert gradient(net)[0] == pytest.approx(
        2 * first.sum() + 5 * second.sum() + (first ** 2).sum())


def test_a_read_loss_with_a_weight_of_its_own_counts_once():
    net = make(INPUT + 'layer { name: "h" type: "Power" bottom: "x" top: "h" } layer { name: "t" '
               'type: "DummyData" top: "t" dummy_data_param { shape { dim: 2 dim: 3 dim: 2 dim: 2 }'
               ' } } layer { name: "e" type: "EuclideanLoss" bottom: "h" bottom: "t" top: "e" '
               'loss_weight: 2 } layer { name: "i" type: "Silence" bottom: "e" }')
    assert gradient(net)[0] == pytest.approx(2 * (X ** 2).sum() / 4)
    check(net)


def test_a_loss_of_nan_is_nan():
    case = make_layer('layer { name: "l" type: "HingeLoss" bottom: "x" bottom: "t" top: "l" }',
                      [[[np.nan, 1.0]], [0]])
    case.forward()
    assert np.isnan(case.top[0].host_data)


def test_loss_weights_follow_the_shape():
    net = make(INPUT + 'layer { name: "h" type: "Power" bottom: "x" top: "h" loss_weight: 2 }')
    gradient(net)
    net.blobs["x"].reshape(4, 3, 2, 2)
    loss, diff = gradient(net, np.concatenate([X, X]))
    assert loss == pytest.approx(4 * X.sum()) and np.all(diff == 2)


def test_contrastive_loss_follows_the_batch():
    text = ('layer { name: "l" type: "ContrastiveLoss" bottom: "a" bottom: "b" bottom: "t" '
            'top: "l" }')
    case = make_layer(text, [np.zeros((1, 2)), np.ones((1, 2)), [1]])
    case.forward()
    for blob, shape in zip(case.bottom, [(3, 2), (3, 2), (3,)], strict=True):
        blob.reshape(*shape)
    case.bottom[0].host_data[...] = 0
    case.bottom[1].host_data[...] = 1
    case.bottom[2].host_data[...] = 1
    case.forward()
    case.backward([1.0])
    assert case.top[0].host_data == 1
    np.testing.assert_allclose(case.bottom[1].host_diff, 1 / 3)


@pytest.mark.parametrize("kind", ["Eltwise", "Concat", "Pooling", "InnerProduct"])
def test_layers_that_would_write_over_what_they_still_read_are_refused_in_place(kind):
    with pytest.raises(NetError, match=f"{kind} cannot work in place.*another name than 'x'"):
        make(INPUT + CONT + f'layer {{ name: "e" type: "{kind}" bottom: "x" top: "x" '
             + ('bottom: "c" }' if kind == "Eltwise" else "}"))


@pytest.mark.parametrize("middle", ['type: "BatchNorm" bottom: "x" top: "y"',
                                    'type: "LSTM" bottom: "x" bottom: "c" top: "y" '
                                    'recurrent_param { num_output: 2 }'])
def test_gradients_that_nobody_wants_are_not_written(middle):
    weigh = 'layer { name: "i" type: "InnerProduct" bottom: "x" top: "x1" inner_product_param { ' \
            'axis: 2 num_output: 2 } }'
    text = INPUT.replace("force_backward: true", "") + CONT + weigh + (
        'layer { name: "m" ' + middle.replace('bottom: "x"', 'bottom: "x1" propagate_down: false '
        + ("propagate_down: false " if '"c"' in middle else "")) + "}") + SQUARES % "y"
    net = make(text)
    net.blobs["x"].host_data[...] = X
    net.forward()
    net.blobs["x1"].host_diff[...] = 7
    net.backward()
    assert np.all(net.blobs["x1"].host_diff == 7)


@pytest.mark.parametrize(("kind", "bottoms"), [
    ("Embed", [[0, 1]]), ("BatchReindex", [X, [1, 0]]), ("Accuracy", [X[:, :, 0, 0], [0, 1]]),
    ("InfogainLoss", [X[:, :, 0, 0], [0, 1], np.eye(3)])])
def test_force_backward_asks_no_gradient_of_an_index(kind, bottoms):
    inputs = "".join(f'layer {{ name: "b{i}" type: "Input" top: "b{i}" input_param {{ shape {{ '
                     + " ".join(f"dim: {n}" for n in np.shape(b)) + " } } }"
                     for i, b in enumerate(bottoms))
    net = make("force_backward: true " + inputs + f'layer {{ name: "m" type: "{kind}" '
               + " ".join(f'bottom: "b{i}"' for i in range(len(bottoms))) + ' top: "y" '
               + ('embed_param { input_dim: 2 num_output: 2 }' if kind == "Embed" else "") + "}")
    for i, bottom in enumerate(bottoms):
        net.blobs[f"b{i}"].host_data[...] = bottom
    net.forward()
    net.backward()


@pytest.mark.parametrize(("kind", "second"), [
    ("EuclideanLoss", np.ones((2, 3, 2, 1, 2))), ("HingeLoss", [0, 1]),
    ("ContrastiveLoss", np.ones((2, 3, 2, 1, 2))), ("MultinomialLogisticLoss", [0, 1])])
def test_losses_take_more_than_four_axes(kind, second):
    third = [[1, 0]] if kind == "ContrastiveLoss" else []
    results = []
    for shape in ((2, 3, 2, 1, 2), (2, 12)):
        values = np.asarray(second, float)
        if values.ndim > 1:
            values = values.reshape(shape)
        case = make_layer(f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "t" '
                          + ('bottom: "m" ' if third else "") + 'top: "l" }',
                          [np.abs(X).reshape(shape), values, *third])
        case.forward()
        case.backward([1.0])
        results.append((float(case.top[0].host_data), case.bottom[0].host_diff.reshape(-1)))
    assert results[0][0] == results[1][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])
