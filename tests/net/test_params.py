"""Shared parameters: owners, shapes and multipliers."""
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import NetError, ShapeError
from caffe_lrcn.net.net import Net
from caffe_lrcn.net.params import plan_params
from caffe_lrcn.proto.text import parse_net


def plan(*specs, shapes):
    text = "\n".join(f'layer {{ name: "l{i}" type: "InnerProduct" {spec} }}'
                     for i, spec in enumerate(specs))
    return plan_params(parse_net(text, "n.prototxt").layers, shapes)


def test_unnamed_parameters_never_share():
    result = plan("", "param { lr_mult: 3 decay_mult: 0 }", shapes=[[(2, 2), (2,)], [(2, 2)]])
    assert result.owner == [[0, 1], [2]]
    assert [item.lr for item in result.learnable] == [1, 1, 3]
    assert [item.decay for item in result.learnable] == [1, 1, 0]


def test_named_parameters_have_one_owner_and_the_first_explicit_multiplier():
    result = plan('param { name: "w" }', 'param { name: "w" lr_mult: 5 }',
                  'param { name: "w" lr_mult: 5 }', shapes=[[(2, 3)]] * 3)
    assert result.owner == [[0], [0], [0]]
    assert result.learnable[0].lr == 5


def test_multipliers_that_disagree_are_refused():
    with pytest.raises(NetError, match=r"n\.prototxt:2:.*two values of decay_mult"):
        plan('param { name: "w" decay_mult: 1 }', 'param { name: "w" decay_mult: 2 }',
             shapes=[[(2,)]] * 2)


def test_strict_sharing_needs_equal_shapes_and_permissive_equal_counts():
    shapes = [[(2, 3)], [(3, 2)]]
    with pytest.raises(ShapeError, match=r"got \(3, 2\), wanted \(2, 3\)"):
        plan('param { name: "w" }', 'param { name: "w" }', shapes=shapes)
    result = plan('param { name: "w" }', 'param { name: "w" share_mode: PERMISSIVE }',
                  shapes=shapes)
    assert result.owner == [[0], [0]]
    with pytest.raises(ShapeError, match="number of elements"):
        plan('param { name: "w" }', 'param { name: "w" share_mode: PERMISSIVE }',
             shapes=[[(2, 3)], [(7,)]])


def test_more_specs_than_parameters_are_refused():
    with pytest.raises(NetError, match="got 2, wanted at most 1"):
        plan("param { } param { }", shapes=[[(2,)]])


@pytest.mark.parametrize("frozen", [0, 1])
def test_a_sharer_that_gives_no_rate_computes_its_gradient(frozen):
    """The parameter does not learn, yet the norm that clip_gradients looks at counts it."""
    lr = ["lr_mult: 0" if number == frozen else "" for number in (0, 1)]
    text = ('layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 '
            'dim: 2 } data_filler { value: 3 } } }'
            'layer { name: "base" type: "InnerProduct" bottom: "x" top: "y" '
            'inner_product_param { num_output: 2 bias_term: false weight_filler { value: 1 } } }')
    for number, bottom, top in ((0, "y", "a"), (1, "a", "b")):
        text += (f'layer {{ name: "{top}" type: "InnerProduct" bottom: "{bottom}" top: "{top}" '
                 f'param {{ name: "w" {lr[number]} }} inner_product_param {{ num_output: 2 '
                 f'bias_term: false weight_filler {{ value: 1 }} }} '
                 f'{"loss_weight: 1" if number else ""} }}')
    net = Net(parse_net(text, "n.prototxt"), get_backend("cpu", np.float64), phase=0)
    net.forward()
    net.clear_param_diffs()
    net.backward()
    assert net.param_lr == [1, 0]
    # y = 6, a = 12: the second layer's gradient is a, the first one's y times 2.
    np.testing.assert_array_equal(net.params["a"][0].host_diff, 12)
