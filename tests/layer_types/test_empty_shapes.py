"""Blobs without elements: a layer computes nothing, or refuses them by name."""
import numpy as np
import pytest

from caffe_lrcn.errors import ShapeError
from tests.harness.layers import make_layer


def layer(kind, bottoms, more=""):
    names = " ".join(f'bottom: "b{i}"' for i in range(bottoms))
    return f'layer {{ name: "l" type: "{kind}" {names} top: "t" {more} }}'


@pytest.mark.parametrize("kind, shapes, more, message", [
    ("HingeLoss", [(2, 0), (2,)], "", "there are no classes"),
    ("MultinomialLogisticLoss", [(1, 2, 0), (1,)], "", "there are no classes"),
    ("SoftmaxWithLoss", [(2, 0), (2,)], "", "there are no classes along axis 1"),
    ("Accuracy", [(2, 0), (2,)], "", "there are no classes along axis 1"),
    ("Pooling", [(1, 2, 3, 0)], "pooling_param { kernel_size: 1 stride: 2 }",
     "larger than the padded input"),
    ("Convolution", [(1, 2, 3, 0)], "convolution_param { num_output: 1 kernel_size: 1 stride: 2 }",
     "larger than the padded input"),
    ("Deconvolution", [(1, 2, 3, 0)], "convolution_param { num_output: 1 kernel_size: 3 }",
     "the input is empty")])
def test_refused(kind, shapes, more, message, any_backend):
    with pytest.raises(ShapeError, match=message):
        make_layer(layer(kind, len(shapes), more), [np.zeros(shape) for shape in shapes],
                   backend=any_backend)


@pytest.mark.parametrize("kind, shapes", [
    ("Softmax", [(0, 0)]), ("Softmax", [(2, 0)]), ("Reverse", [(0, 0), (0, 0)])])
def test_nothing_is_computed(kind, shapes, any_backend):
    case = make_layer(layer(kind, len(shapes)), [np.zeros(shape) for shape in shapes],
                      backend=any_backend)
    case.forward()
    case.backward()
    assert case.top[0].shape == shapes[0]
