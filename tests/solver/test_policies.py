"""The seven policies in closed form."""
from __future__ import annotations

import math

import pytest

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto.text import parse_solver
from caffe_lrcn.solver.policies import advance_step, check_policy, learning_rate

CASES = {
    "fixed": ("", lambda i: 0.5),
    "step": ("gamma: 0.5 stepsize: 3", lambda i: 0.5 * 0.5 ** (i // 3)),
    "exp": ("gamma: 0.75", lambda i: 0.5 * 0.75 ** i),
    "inv": ("gamma: 0.25 power: 0.5", lambda i: 0.5 / math.sqrt(1 + 0.25 * i)),
    "multistep": ("gamma: 0.5 stepvalue: 2 stepvalue: 5",
                  lambda i: 0.5 * 0.5 ** ((i >= 2) + (i >= 5))),
    "poly": ("power: 2 max_iter: 8", lambda i: 0.5 * (1 - i / 8) ** 2),
    "sigmoid": ("gamma: -0.5 stepsize: 4", lambda i: 0.5 / (1 + math.exp(0.5 * (i - 4)))),
}


def param_of(policy: str, fields: str = ""):
    return parse_solver(f'base_lr: 0.5 lr_policy: "{policy}" {fields}').param


@pytest.mark.parametrize("policy", CASES)
def test_rate(policy):
    fields, rate = CASES[policy]
    param, step = param_of(policy, fields), 0
    for iteration in range(8):
        step = advance_step(param, iteration, step)
        assert learning_rate(param, iteration, step) == pytest.approx(rate(iteration), rel=1e-7)


def test_step_count_of_step_is_saved_as_caffe_does():
    assert advance_step(param_of("step", "stepsize: 4"), 11, 0) == 2


def test_equal_stepvalues_take_effect_one_after_the_other():
    """CAFFE-QUIRK: at most one step a query."""
    param, step, seen = param_of("multistep", "gamma: 0.1 stepvalue: 2 stepvalue: 2"), 0, []
    for iteration in range(5):
        step = advance_step(param, iteration, step)
        seen.append(step)
    assert seen == [0, 0, 1, 2, 2]


def test_poly_past_its_end_and_a_steep_sigmoid_are_zero():
    assert learning_rate(param_of("poly", "power: 0.5 max_iter: 8"), 9, 0) == 0
    assert learning_rate(param_of("sigmoid", "gamma: 1 stepsize: 10000"), 0, 0) == 0


@pytest.mark.parametrize(("text", "named"), [
    ('lr_policy: "setp"', "setp"), ("", "lr_policy is not set"),
    ('lr_policy: "step"', "stepsize"), ('lr_policy: "step" stepsize: 1 gamma: -1', "gamma"),
    ('lr_policy: "poly"', "max_iter"), ('lr_policy: "multistep"', "stepvalue")])
def test_errors_name_the_field(text, named):
    solver = parse_solver(text, "s.prototxt")
    with pytest.raises(PrototxtError, match=named) as error:
        check_policy(solver.param, solver.place)
    assert str(error.value).startswith("s.prototxt")


@pytest.mark.parametrize("policy, field", [("step", "stepsize"), ("multistep", "stepvalue"),
                                           ("poly", "max_iter")])
def test_a_missing_field_has_the_line_of_the_policy(policy, field):
    solver = parse_solver(f'base_lr: 1\nlr_policy: "{policy}" gamma: 0.1', "f")
    with pytest.raises(PrototxtError,
                       match=f"^f:2:1: lr_policy '{policy}' needs {field}, which is missing"):
        check_policy(solver.param, solver.place)
