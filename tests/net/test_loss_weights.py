"""Loss weights where the memory of the gradient is written to: in place, through aliases."""
import numpy as np
import pytest

from caffe_lrcn.layer_types.base import Settings

from .test_net import make

INPUT = 'force_backward: true layer { name: "x" type: "Input" top: "x" input_param { %s } }'
SHAPE = "shape { dim: 2 dim: 3 }"
POWER = ('layer { name: "p" type: "Power" bottom: "x" top: "s" power_param { scale: 2 } }')
RELU = 'layer { name: "r" type: "ReLU" bottom: "s" top: "s" %s }'
FLATTEN = 'layer { name: "f" type: "Flatten" bottom: "s" top: "f" %s }'
SCALE = ('layer { name: "q" type: "Power" bottom: "%s" top: "%s" power_param { scale: 0.5 '
         'shift: 0.25 } %s }')
SUM = 'layer { name: "l" type: "Reduction" bottom: "s" top: "l" loss_weight: 1 }'
# A loss with the weight that a loss has by itself, a number.
LOSS = ('layer { name: "e" type: "EuclideanLoss" bottom: "s" bottom: "t" top: "e" }')
TARGET = ('layer { name: "t" type: "DummyData" top: "t" dummy_data_param { shape { dim: 2 dim: 3 }'
          ' data_filler { value: 0.5 } } }')

NETS = {
    "in place": POWER + RELU % "loss_weight: 1",
    "in place, linear": POWER + SCALE % ("s", "s", "loss_weight: 3"),
    "under an alias": POWER + RELU % "" + FLATTEN % "loss_weight: 1",
    "an alias in place": POWER + FLATTEN % "" + SCALE % ("f", "f", "loss_weight: 1"),
    "two consumers": POWER + RELU % "loss_weight: 1" + SUM,
    "an alias of a loss": POWER + TARGET + LOSS + (
        'layer { name: "c" type: "Reshape" bottom: "e" top: "c" '
        'reshape_param { shape { dim: 1 } } loss_weight: 2 }'),
    "a loss that a layer in place reads": POWER + TARGET + LOSS + SCALE % ("e", "e", "") + (
        'layer { name: "n" type: "Power" bottom: "e" top: "n" power_param { power: 2 } '
        'loss_weight: 1 }'),
}


def gradient(net):
    net.blobs["x"].host_data[...] = np.array([[0.5, -1.5, 2], [1, -0.25, 0.75]])
    loss = net.forward()
    net.clear_param_diffs()
    net.backward()
    return loss, net.blobs["x"].host_diff.copy()


def differences(net, step=1e-6):
    x, result = net.blobs["x"].host_data, np.zeros((2, 3))
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        high = net.forward()
        x[index] = kept - step
        result[index] = (high - net.forward()) / (2 * step)
        x[index] = kept
    return result


@pytest.mark.parametrize("name", NETS)
def test_gradients_equal_differences_in_every_pass(name):
    net = make(INPUT % SHAPE + NETS[name])
    first = gradient(net)
    np.testing.assert_allclose(first[1], differences(net), rtol=1e-6, atol=1e-9)
    for _ in range(2):
        again = gradient(net)
        assert again[0] == first[0]
        np.testing.assert_array_equal(again[1], first[1])


def test_the_weight_in_place_counts_once():
    """Caffe's number: scale 2 where the bottom is positive."""
    net = make(INPUT % SHAPE + NETS["in place"])
    np.testing.assert_array_equal(gradient(net)[1], [[2, 0, 2], [2, 0, 2]])


def test_strict_lets_it_vanish_as_in_caffe():
    """CAFFE-QUIRK: the weight lives in the diff that the layer in place overwrites."""
    net = make(INPUT % SHAPE + NETS["in place, linear"], settings=Settings(strict=True))
    first = gradient(net)[1]
    np.testing.assert_array_equal(gradient(net)[1], first / 2)


def test_a_diff_that_a_caller_sets_after_the_forward_pass_counts():
    net = make(INPUT % SHAPE + NETS["in place, linear"])
    gradient(net)
    net.forward()
    net.blobs["s"].host_diff[...] = 8
    net.backward()
    np.testing.assert_array_equal(net.blobs["x"].host_diff, np.full((2, 3), 8))
