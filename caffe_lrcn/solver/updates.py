"""The update rules by name, and what of a solver definition they read.

The arithmetic is in ``backends/cpu/update.py`` and ``backends/cuda/update.cu``.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..backends.parameters import UpdateSpec
from ..errors import PrototxtError
from ..hints import did_you_mean, nearest
from ..proto.caffe_pb2 import SolverParameter
from ..proto.text import Place

REGULARIZATIONS = ("L2", "L1")


@dataclass(frozen=True)
class Rule:
    """An update rule: its op in ``backend.update``, histories per parameter, limits of fields.

    ``fields`` maps a field's name to a test of its value and the words for what is allowed.
    """

    op: str
    histories: int
    fields: dict[str, tuple[Callable[[float], bool], str]]


_ZERO = (lambda value: value == 0, "0 for this type")
_FRACTION = (lambda value: 0 <= value < 1, "at least 0 and below 1")

RULES: dict[str, Rule] = {
    "SGD": Rule("sgd", 1, {}),
    "Nesterov": Rule("nesterov", 1, {}),
    "AdaGrad": Rule("adagrad", 1, {"momentum": _ZERO}),
    "RMSProp": Rule("rmsprop", 1, {"momentum": _ZERO, "rms_decay": _FRACTION}),
    "AdaDelta": Rule("adadelta", 2, {}),
    "Adam": Rule("adam", 2, {"momentum": _FRACTION, "momentum2": _FRACTION}),
}


def find_rule(param: SolverParameter, place: Place) -> Rule:
    """Return the rule of the solver's type.

    Raises:
        PrototxtError: an unknown type, or a field whose value the rule refuses.
    """
    rule = RULES.get(param.type)
    if rule is None:
        near = nearest(param.type, RULES, cutoff=0.5)
        raise PrototxtError("unknown solver type", where=place.at("type"), got=repr(param.type),
                            wanted=", ".join(RULES),
                            remedy=did_you_mean(near))
    for field, (allowed, words) in rule.fields.items():
        value = getattr(param, field)
        if not allowed(value):
            raise PrototxtError(f"solver type '{param.type}' cannot use this {field}",
                                where=place.at(field), got=f"{value:g}", wanted=words)
    return rule


def update_spec(param: SolverParameter) -> UpdateSpec:
    """Return the numbers that the rules read."""
    l2, l1 = (param.weight_decay if param.regularization_type == kind else 0.0
              for kind in REGULARIZATIONS)
    return UpdateSpec(param.momentum, param.momentum2, param.rms_decay, param.delta,
                      1 / param.iter_size, l2, l1)
