"""Which layers belong to a net in a given state."""
import pytest

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.net.filter import filter_layers, make_state, warn_of_unknown_stages
from caffe_lrcn.proto.text import parse_net

RULES = """
layer { name: "always" type: "ReLU" }
layer { name: "train" type: "ReLU" include { phase: TRAIN } }
layer { name: "not_test" type: "ReLU" exclude { phase: TEST } }
layer { name: "low" type: "ReLU" include { max_level: 1 } }
layer { name: "high" type: "ReLU" include { min_level: 2 } }
layer { name: "both" type: "ReLU" include { stage: "a" stage: "b" } }
layer { name: "either" type: "ReLU" include { stage: "a" } include { stage: "b" } }
layer { name: "without" type: "ReLU" include { not_stage: "a" } }
layer { name: "train_a" type: "ReLU" include { phase: TRAIN stage: "a" } }
"""


def kept(phase, level=0, stages=()):
    state = make_state(phase, level, stages)
    return [layer.param.name for layer in filter_layers(parse_net(RULES).layers, state)]


@pytest.mark.parametrize("state, names", [
    ((0,), ["always", "train", "not_test", "low", "without"]),
    ((1,), ["always", "low", "without"]),
    ((1, 2), ["always", "high", "without"]),
    ((1, 0, ["a"]), ["always", "low", "either"]),
    ((1, 0, ["b"]), ["always", "low", "either", "without"]),
    ((0, 1, ["a", "b"]), ["always", "train", "not_test", "low", "both", "either", "train_a"]),
])
def test_rules(state, names):
    assert kept(*state) == names


def test_include_and_exclude_together_are_refused_with_the_place():
    text = 'layer { name: "x" type: "ReLU"\n include { phase: TEST }\n exclude { stage: "a" } }'
    with pytest.raises(PrototxtError, match=r"net\.prototxt:3:\d+: layer 'x'"):
        filter_layers(parse_net(text, "net.prototxt").layers, make_state(0))


def test_stages_of_the_definition_are_kept():
    base = parse_net('state { stage: "a" level: 3 }').param.state
    state = make_state(0, 0, ["b"], base)
    assert (list(state.stage), state.level, state.phase) == (["a", "b"], 3, 0)


def test_a_stage_that_no_rule_names_is_warned_about(caplog):
    warn_of_unknown_stages(parse_net(RULES).layers, make_state(0, 0, ["a", "b"]))
    assert caplog.text == ""
    warn_of_unknown_stages(parse_net(RULES).layers, make_state(0, 0, ["a", "bb"]))
    assert "stage 'bb' is set, but no rule of the net names it (named are: a, b)" in caplog.text


def test_rules_that_do_not_hold_are_logged(caplog):
    caplog.set_level("INFO", "caffe_lrcn")
    text = ('layer { name: "x" type: "ReLU" include { phase: TEST } include { stage: "a" } '
            'include { min_level: 2 } }')
    filter_layers(parse_net(text).layers, make_state(0, stages=["a"]))
    assert [record.getMessage() for record in caplog.records] == [
        "A rule of layer 'x' does not hold: phase is TRAIN, the rule asks for TEST"]
