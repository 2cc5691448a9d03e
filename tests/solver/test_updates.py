"""The table of rules, and what a solver definition must not ask of them."""
from __future__ import annotations

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.parameters import UpdateSpec
from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto.text import parse_solver
from caffe_lrcn.solver.updates import RULES, find_rule, update_spec


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_an_op(name):
    assert callable(getattr(get_backend("cpu").update, RULES[name].op))


@pytest.mark.parametrize(("text", "named"), [
    ('type: "Adamm"', "Did you mean 'Adam'"), ('type: "LBFGS"', "SGD, Nesterov, AdaGrad"),
    ('type: "AdaGrad" momentum: 0.9', "momentum"), ('type: "RMSProp" momentum: 0.9', "momentum"),
    ('type: "RMSProp" rms_decay: 1', "rms_decay"), ('type: "Adam" momentum2: 1', "momentum2")])
def test_refused(text, named):
    solver = parse_solver(text, "s.prototxt")
    with pytest.raises(PrototxtError, match=named) as error:
        find_rule(solver.param, solver.place)
    assert str(error.value).startswith("s.prototxt:1:")


@pytest.mark.parametrize(("kind", "l2", "l1"), [("L2", 0.5, 0), ("L1", 0, 0.5)])
def test_what_the_rules_read(kind, l2, l1):
    param = parse_solver(f'momentum: 0.5 momentum2: 0.25 rms_decay: 0.125 delta: 2 iter_size: 4 '
                         f'weight_decay: 0.5 regularization_type: "{kind}"').param
    assert update_spec(param) == UpdateSpec(0.5, 0.25, 0.125, 2, 0.25, l2, l1)
