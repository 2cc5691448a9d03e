"""Slips of newcomers in a prototxt: the error says what to write."""
from __future__ import annotations

import pytest

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto.text import parse_net


@pytest.mark.parametrize("text, advice", [
    ("layer { type: CONVOLUTION }", 'This is a type of the old \'layers\''),
    ("layer { type: Convolution }", "Put it in quotes"),
    ("layer { name: “x” }", "Use straight quotes"),
    ("layer { num_output: 5 }", "inside the layer's own message"),
    ("layer { kernel_size: 5 }", "convolution_param, pooling_param"),
    ("layer { blobs_lr: 1 }", "param { lr_mult: … decay_mult: … }"),
    ("layer { param { lr: 1 } }", "Did you mean 'lr_mult'?"),
    ("layer { inner_product_param { num_output: 5.0 } }", "Write it without a point"),
    ("layer { inner_product_param { num_output: '5' } }", "Remove the quotes"),
    ("layer { pooling_param { pool: 'MAX' } }", "Write MAX, without quotes"),
    ("layer { pooling_param { pool: max } }", "Did you mean MAX?"),
    ("layer { inner_product_param { numoutput: 5 } }", "Did you mean 'num_output'"),
    ("layers { type: 'Convolution' }", "Write CONVOLUTION, without quotes"),
    ("force_backward: yes", "wanted true or false"),
])
def test_advice(text, advice):
    with pytest.raises(PrototxtError) as caught:
        parse_net(text, "f")
    assert advice in str(caught.value) and str(caught.value).startswith("f:1:")
