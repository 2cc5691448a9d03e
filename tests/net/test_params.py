"""Shared parameters: owners, shapes and multipliers."""
import pytest

from caffe_lrcn.errors import NetError, ShapeError
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
