"""Who needs a gradient, checked on built nets."""
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.layer_types.base import Settings
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net

IN = ('layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }'
      'layer { name: "lab" type: "Input" top: "t" input_param { shape { dim: 2 dim: 4 } } }\n')
LOSS = 'layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "l" }'


def ip(name, bottom, top, extra=""):
    return (f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{top}" {extra}'
            f' inner_product_param {{ num_output: 4 }} }}\n')


def needs(text, settings=None):
    net = Net(parse_net(text), get_backend("cpu"), phase=0, settings=settings)
    return {node.layer.name: (node.needs_backward, node.propagate_down) for node in net.nodes}


def test_gradients_stop_where_nothing_learns():
    plan = needs(IN + ip("a", "x", "h") + ip("b", "h", "y") + LOSS)
    assert plan["a"] == (True, [False])
    assert plan["b"] == (True, [True])
    assert plan["loss"] == (True, [True, False])


def test_frozen_layers_below_learning_ones_are_skipped():
    frozen = "param { lr_mult: 0 } param { lr_mult: 0 }"
    plan = needs(IN + ip("a", "x", "h", frozen) + ip("b", "h", "y") + LOSS)
    assert plan["a"] == (False, [False])
    assert plan["b"] == (True, [False])


def test_layers_that_no_loss_depends_on_are_skipped():
    plan = needs(IN + ip("a", "x", "h") + ip("side", "h", "s") + ip("b", "h", "y") + LOSS)
    assert plan["side"] == (False, [False])
    assert plan["b"] == (True, [True])


def test_propagate_down_overrides_both_ways():
    plan = needs(IN + ip("a", "x", "h", "propagate_down: true") + ip("b", "h", "y") + LOSS)
    assert plan["a"] == (True, [True])
    plan = needs(IN + ip("a", "x", "h") + ip("b", "h", "y", "propagate_down: false") + LOSS)
    assert plan["a"] == (False, [False])
    assert plan["b"] == (True, [False])


def test_propagate_down_must_be_given_once_a_bottom():
    with pytest.raises(PrototxtError, match="got 2, wanted 1"):
        needs(IN + ip("b", "x", "y", "propagate_down: true propagate_down: true") + LOSS)


def test_force_backward_reaches_inputs_but_not_labels():
    frozen = "param { lr_mult: 0 } param { lr_mult: 0 }"
    text = "force_backward: true\n" + IN + ip("b", "x", "y", frozen)
    plan = needs(text + 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "y" bottom: "lab1" }'
                 .replace("lab1", "k") .replace("layer {", 'layer { name: "k" type: "Input" top: '
                 '"k" input_param { shape { dim: 2 } } } layer {', 1))
    assert plan["b"] == (True, [True])
    assert plan["loss"] == (True, [True, False])


@pytest.mark.parametrize("reader", ['"Silence"', '"Power" top: "p"', '"Reshape" top: "p"'])
def test_a_loss_that_only_a_layer_without_a_loss_reads_learns(reader):
    text = IN + ip("a", "x", "y") + LOSS + f'layer {{ name: "r" type: {reader} bottom: "l" }}'
    assert needs(text)["loss"] == (True, [True, False])
    # CAFFE-QUIRK: nobody wants the gradient of its top, so it is left out.
    assert needs(text, Settings(strict=True))["a"] == (False, [False])


def test_a_zero_loss_weight_means_no_gradient():
    plan = needs(IN + ip("b", "x", "y") + LOSS.replace('top: "l"', 'top: "l" loss_weight: 0'))
    assert plan["b"] == (False, [False])
