"""The kind of an error tells who is to blame: the definition, the net around, or the bottoms."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import LabelError, NetError, PrototxtError, ShapeError, SnapshotError
from tests.harness.layers import make_layer

PICTURE, ROWS = np.zeros((1, 2, 4, 4)), np.zeros((2, 3))
STEPS, CONT = np.zeros((3, 2, 4)), np.zeros((3, 2))

CASES = [
    (PrototxtError, "Convolution", "convolution_param { num_output: 2 }", [PICTURE]),
    (PrototxtError, "Convolution", "convolution_param { num_output: 3 kernel_size: 1 group: 2 }",
     [PICTURE]),
    (ShapeError, "Convolution", "convolution_param { num_output: 2 kernel_size: 5 }", [PICTURE]),
    (PrototxtError, "Pooling", "pooling_param { kernel_size: 2 stride: 0 }", [PICTURE]),
    (ShapeError, "Pooling", "pooling_param { kernel_size: 2 }", [ROWS]),
    (PrototxtError, "LRN", "lrn_param { local_size: 2 }", [PICTURE]),
    (ShapeError, "LRN", "", [ROWS]),
    (PrototxtError, "InnerProduct", "", [ROWS]),
    (ShapeError, "InnerProduct", "inner_product_param { num_output: 2 axis: 2 }", [ROWS]),
    (PrototxtError, "LSTM", "", [STEPS, CONT]),
    (ShapeError, "LSTM", "recurrent_param { num_output: 2 }", [STEPS, CONT.T]),
    (PrototxtError, "Embed", "embed_param { num_output: 2 }", [ROWS]),
    (PrototxtError, "Dropout", "dropout_param { dropout_ratio: 1 }", [ROWS]),
    (PrototxtError, "SPP", "", [PICTURE]),
    (PrototxtError, "Flatten", "flatten_param { axis: 2 end_axis: 0 }", [PICTURE]),
    (ShapeError, "Reshape", "reshape_param { shape { dim: 5 } }", [ROWS]),
    (ShapeError, "SoftmaxWithLoss", "", [ROWS, np.zeros(3)]),
]


def definition(type_name, param, bottoms):
    """Return a layer with as many bottoms."""
    names = " ".join(f'bottom: "x{index}"' for index in range(len(bottoms)))
    return f'layer {{ name: "l" type: "{type_name}" {names} top: "y" {param} }}'


@pytest.mark.parametrize(("kind", "type_name", "param", "bottoms"), CASES)
def test_building(kind, type_name, param, bottoms):
    with pytest.raises(kind) as caught:
        make_layer(definition(type_name, param, bottoms), bottoms)
    assert type(caught.value) is kind


def test_running():
    case = make_layer(definition("SoftmaxWithLoss", "", [ROWS, ROWS]), [ROWS, np.array([0, 7])])
    with pytest.raises(LabelError):
        case.forward()
    lstm = make_layer(definition("LSTM", "recurrent_param { num_output: 2 }", [STEPS, CONT]),
                      [STEPS, CONT])
    lstm.forward()
    with pytest.raises(NetError):
        lstm.backward(propagate_down=[True, True])
    with pytest.raises(SnapshotError):
        lstm.layer.restore({"h": np.zeros((5, 3)), "c": np.zeros((5, 3))})
