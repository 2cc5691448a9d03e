"""What can be built and is probably wrong: each is found once, and nothing in a sound net."""
from __future__ import annotations

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.build import build
from caffe_lrcn.net.doubts import graph_doubts, missing_loss, rate_doubt, unfilled
from caffe_lrcn.proto.text import parse_net

_DATA = '''
layer { name: "x" type: "DummyData" top: "x" top: "t" dummy_data_param {
  shape { dim: 4 dim: 3 } shape { dim: 4 } data_filler { type: "gaussian" } } }
'''
_IP = ('layer { name: "%s" type: "InnerProduct" bottom: "%s" top: "%s" %s '
       'inner_product_param { num_output: 5 %s } }\n')
_XAVIER = 'weight_filler { type: "xavier" }'
_LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "%s" bottom: "t" %s }\n'
_SOUND = _DATA + _IP % ("a", "x", "a", "", _XAVIER) + _LOSS % ("a", "")


def _built(text: str):
    net = parse_net(text, "n")
    return build(net.layers, get_backend("shapes"), 0), net


def test_a_sound_net_raises_no_doubt():
    built, net = _built(_SOUND)
    assert not list(graph_doubts(built.graph, 0)) and not list(unfilled(built.graph))
    assert missing_loss(built.graph, net.layers) is None
    assert rate_doubt(built.graph, [one.lr for one in built.learnable]) is None


def test_a_net_without_a_loss():
    built, net = _built(_SOUND.replace(_LOSS % ("a", ""), ""))
    assert "no loss" in str(missing_loss(built.graph, net.layers))


@pytest.mark.parametrize("extra", ['loss_weight: 0', 'propagate_down: false propagate_down: false'])
def test_a_loss_that_does_not_count(extra):
    built, net = _built(_DATA + _IP % ("a", "x", "a", "", _XAVIER) + _LOSS % (
        "a", f'top: "l" {extra}'))
    error = missing_loss(built.graph, net.layers)
    assert (error is None) == ("loss_weight" not in extra)
    assert error is None or "'loss' is one" in str(error)


@pytest.mark.parametrize("filler, zero", [
    ("", True), ('weight_filler { type: "constant" }', True), ("weight_filler { value: 1 }", False),
    ('weight_filler { type: "gaussian" std: 0 }', True),
    ('weight_filler { type: "gaussian" }', False),
    ('weight_filler { type: "uniform" max: 0 }', True), (_XAVIER, False)])
def test_weights_that_start_as_zeros(filler, zero):
    built, _ = _built(_DATA + _IP % ("a", "x", "a", "", filler))
    assert [layer.param.name for layer, _ in unfilled(built.graph)] == ["a"] * zero


def test_a_sharer_takes_its_owners_values():
    share = 'param { name: "w" }'
    built, _ = _built(_DATA + _IP % ("a", "x", "a", share, _XAVIER)
                      + _IP % ("b", "x", "b", share, ""))
    assert not list(unfilled(built.graph))


def test_no_rate_at_all():
    built, _ = _built(_SOUND.replace(' top: "a" ', ' top: "a" param { lr_mult: 0 } '
                                     'param { lr_mult: 0 } ', 1))
    assert "lr_mult 0" in str(rate_doubt(built.graph, [one.lr for one in built.learnable]))


def test_equal_names():
    built, _ = _built(_SOUND + _IP % ("a", "x", "b", "", _XAVIER))
    doubt, = graph_doubts(built.graph, 0)
    assert "has the name of the layer at n:4:1" in str(doubt) and str(doubt).startswith("n:")


@pytest.mark.parametrize("value, words", [(1, "no sequence ever begins"),
                                          (0, "nothing is carried over")])
def test_a_constant_cont(value, words):
    built, _ = _built(f"""
layer {{ name: "x" type: "DummyData" top: "x" top: "c" dummy_data_param {{
  shape {{ dim: 4 dim: 3 dim: 2 }} shape {{ dim: 4 dim: 3 }}
  data_filler {{ value: {value} }} }} }}
layer {{ name: "h" type: "LSTM" bottom: "x" bottom: "c" top: "h"
  recurrent_param {{ num_output: 2 {_XAVIER} }} }}
""")
    doubt, = graph_doubts(built.graph, 0)
    assert words in str(doubt)
