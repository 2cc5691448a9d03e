"""The update rules: each turns a gradient into the step that is subtracted from the parameter.

Notation: g the processed gradient, η the rate times lr_mult, μ the momentum, δ delta, i the
iteration; then w -= u. Source: Caffe's SGD, Nesterov, AdaGrad, RMSProp, AdaDelta and Adam solvers.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..backends import Backend
from ..errors import PrototxtError
from ..proto.caffe_pb2 import SolverParameter
from ..proto.text import Place

#: (backend, param, η, i, g, history): overwrites g with u and moves the history arrays on.
Update = Callable[[Backend, SolverParameter, float, int, Any, Sequence[Any]], None]


def _sgd(backend: Backend, param: SolverParameter, rate: float, iteration: int, g: Any,
         history: Sequence[Any]) -> None:
    backend.update.sgd(g, history[0], rate, param.momentum)


def _nesterov(backend: Backend, param: SolverParameter, rate: float, iteration: int, g: Any,
              history: Sequence[Any]) -> None:
    before = history[0].copy()
    backend.update.sgd(g, history[0], rate, param.momentum)
    g *= 1 + param.momentum
    g -= param.momentum * before


def _adagrad(backend: Backend, param: SolverParameter, rate: float, iteration: int, g: Any,
             history: Sequence[Any]) -> None:
    h, = history
    h += g * g
    g *= rate / (backend.xp.sqrt(h) + param.delta)


def _rmsprop(backend: Backend, param: SolverParameter, rate: float, iteration: int, g: Any,
             history: Sequence[Any]) -> None:
    h, = history
    h *= param.rms_decay
    h += (1 - param.rms_decay) * (g * g)
    g *= rate / (backend.xp.sqrt(h) + param.delta)


def _adadelta(backend: Backend, param: SolverParameter, rate: float, iteration: int, g: Any,
              history: Sequence[Any]) -> None:
    # CAFFE-QUIRK: `momentum` is the decay of both running means here.
    h, steps = history
    h *= param.momentum
    h += (1 - param.momentum) * (g * g)
    g *= backend.xp.sqrt((steps + param.delta) / (h + param.delta))
    steps *= param.momentum
    steps += (1 - param.momentum) * (g * g)
    g *= rate


def _adam(backend: Backend, param: SolverParameter, rate: float, iteration: int, g: Any,
          history: Sequence[Any]) -> None:
    mean, variance = history
    beta1, beta2, t = param.momentum, param.momentum2, iteration + 1
    mean *= beta1
    mean += (1 - beta1) * g
    variance *= beta2
    variance += (1 - beta2) * (g * g)
    correction = math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t)
    g[...] = rate * correction * mean / (backend.xp.sqrt(variance) + param.delta)


@dataclass(frozen=True)
class Rule:
    """An update rule: its function, history arrays a parameter, and fields it constrains.

    ``fields`` maps a field's name to a test of its value and the words for what is allowed.
    """

    update: Update
    histories: int
    fields: dict[str, tuple[Callable[[float], bool], str]]


_ZERO = (lambda value: value == 0, "0 for this type")
_FRACTION = (lambda value: 0 <= value < 1, "at least 0 and below 1")

RULES: dict[str, Rule] = {
    # v = μv + ηg; u = v
    "SGD": Rule(_sgd, 1, {}),
    # v' = μv + ηg; u = (1 + μ)v' - μv
    "Nesterov": Rule(_nesterov, 1, {}),
    # h += g²; u = ηg / (√h + δ)
    "AdaGrad": Rule(_adagrad, 1, {"momentum": _ZERO}),
    # h = ρh + (1 - ρ)g²; u = ηg / (√h + δ)
    "RMSProp": Rule(_rmsprop, 1, {"momentum": _ZERO, "rms_decay": _FRACTION}),
    # h = μh + (1 - μ)g²; d = g√((s + δ) / (h + δ)); s = μs + (1 - μ)d²; u = ηd
    "AdaDelta": Rule(_adadelta, 2, {}),
    # m = μm + (1 - μ)g; v = μ₂v + (1 - μ₂)g²; u = η√(1 - μ₂ᵗ)/(1 - μᵗ) · m / (√v + δ), t = i + 1
    "Adam": Rule(_adam, 2, {"momentum": _FRACTION, "momentum2": _FRACTION}),
}


def find_rule(param: SolverParameter, place: Place) -> Rule:
    """Return the rule of the solver's type.

    Raises:
        PrototxtError: an unknown type, or a field whose value the rule refuses.
    """
    rule = RULES.get(param.type)
    if rule is None:
        near = get_close_matches(param.type, RULES, n=1, cutoff=0.5)
        raise PrototxtError("unknown solver type", where=place.at("type"), got=repr(param.type),
                            wanted=", ".join(RULES),
                            remedy=f"Did you mean '{near[0]}'?" if near else None)
    for field, (allowed, words) in rule.fields.items():
        value = getattr(param, field)
        if not allowed(value):
            raise PrototxtError(f"solver type '{param.type}' cannot use this {field}",
                                where=place.at(field), got=f"{value:g}", wanted=words)
    return rule
