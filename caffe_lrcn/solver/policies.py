"""The learning rate at an iteration, by the seven policies.

Source: Caffe's SGDSolver::GetLearningRate.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from ..errors import PrototxtError
from ..proto.caffe_pb2 import SolverParameter
from ..proto.text import Place


def _fixed(param: SolverParameter, iteration: int, step: int) -> float:
    return param.base_lr


def _step(param: SolverParameter, iteration: int, step: int) -> float:
    return param.base_lr * param.gamma ** (iteration // param.stepsize)


def _exp(param: SolverParameter, iteration: int, step: int) -> float:
    return param.base_lr * param.gamma ** iteration


def _inv(param: SolverParameter, iteration: int, step: int) -> float:
    return param.base_lr * (1 + param.gamma * iteration) ** -param.power


def _multistep(param: SolverParameter, iteration: int, step: int) -> float:
    return param.base_lr * param.gamma ** step


def _poly(param: SolverParameter, iteration: int, step: int) -> float:
    # Past max_iter (a solver stepped by hand) the base would be negative: the rate stays 0.
    return param.base_lr * max(0.0, 1 - iteration / param.max_iter) ** param.power


def _sigmoid(param: SolverParameter, iteration: int, step: int) -> float:
    exponent = -param.gamma * (iteration - param.stepsize)
    if exponent > 700:  # math.exp overflows; the rate is 0 to float64 precision
        return 0.0
    return param.base_lr / (1 + math.exp(exponent))


POLICIES: dict[str, Callable[[SolverParameter, int, int], float]] = {
    "fixed": _fixed,          # base_lr
    "step": _step,            # base_lr · gamma^floor(i / stepsize)
    "exp": _exp,              # base_lr · gamma^i
    "inv": _inv,              # base_lr · (1 + gamma · i)^-power
    "multistep": _multistep,  # base_lr · gamma^(number of stepvalues passed)
    "poly": _poly,            # base_lr · (1 - i / max_iter)^power
    "sigmoid": _sigmoid,      # base_lr / (1 + exp(-gamma · (i - stepsize)))
}


def learning_rate(param: SolverParameter, iteration: int, current_step: int) -> float:
    """Return the rate at ``iteration``; ``current_step`` is what ``advance_step`` gave."""
    return POLICIES[param.lr_policy](param, iteration, current_step)


def advance_step(param: SolverParameter, iteration: int, current_step: int) -> int:
    """Return how many steps the rate has taken at ``iteration``; call once an iteration.

    CAFFE-QUIRK: with multistep the count rises by at most one a call, so that two stepvalues that
    are equal take effect one iteration after the other.
    """
    if param.lr_policy == "step":
        return iteration // param.stepsize
    if param.lr_policy != "multistep" or current_step >= len(param.stepvalue):
        return current_step
    return current_step + (iteration >= param.stepvalue[current_step])


def check_policy(param: SolverParameter, place: Place) -> None:
    """Check the fields that the policy reads.

    Raises:
        PrototxtError: an unknown policy, or a field that makes no sense for it.
    """
    if param.lr_policy not in POLICIES:
        raise PrototxtError(
            "unknown lr_policy" if param.lr_policy else "lr_policy is not set",
            where=place.at("lr_policy"), got=repr(param.lr_policy) if param.lr_policy else None,
            wanted=", ".join(POLICIES))
    wrong = _wrong_field(param)
    if wrong:
        field, wanted = wrong
        if not param.HasField(field) if field != "stepvalue" else not param.stepvalue:
            raise PrototxtError(
                f"lr_policy '{param.lr_policy}' needs {field}, which is missing",
                where=place.at("lr_policy"), wanted=f"{field}: {wanted}",
                remedy=f"Add {field}, or write lr_policy: \"fixed\"")
        raise PrototxtError(f"lr_policy '{param.lr_policy}' cannot use this {field}",
                            where=place.at(field), got=getattr(param, field), wanted=wanted)
    if _is_forgotten(param, "gamma", ("step", "multistep", "exp")):
        raise PrototxtError(f"lr_policy '{param.lr_policy}' needs gamma: without it the rate "
                            "falls to 0", where=place.at("lr_policy"),
                            remedy="Set gamma, for example to 0.1")


def _wrong_field(param: SolverParameter) -> tuple[str, str] | None:
    policy = param.lr_policy
    if policy == "step" and param.stepsize <= 0:
        return "stepsize", "above 0"
    if policy in ("step", "multistep", "exp", "inv") and param.gamma < 0:
        return "gamma", "0 or more"
    if policy == "poly" and param.max_iter <= 0:
        return "max_iter", "above 0"
    if policy == "multistep" and not param.stepvalue:
        return "stepvalue", "at least one"
    return None


def policy_doubts(param: SolverParameter, place: Place) -> Iterator[PrototxtError]:
    """Yield what a policy can use and what is probably not meant."""
    policy = param.lr_policy
    if param.HasField("gamma") and not param.gamma and policy in ("step", "multistep", "exp"):
        yield PrototxtError("gamma is 0, so the rate falls to 0", where=place.at("gamma"))
    for field, policies in _NEEDED.items():
        if _is_forgotten(param, field, policies):
            yield PrototxtError(f"lr_policy '{policy}' has no {field}, which is then 0: "
                                f"{_EFFECTS[policy, field]}", where=place.at("lr_policy"),
                                remedy=f"Set {field}")
    steps = list(param.stepvalue)
    if policy == "multistep" and steps != sorted(steps):
        yield PrototxtError("the stepvalues do not rise, so those behind a larger one come late",
                            where=place.at("stepvalue", 0), got=", ".join(map(str, steps)))


_EFFECTS = {("inv", "gamma"): "the rate never falls", ("inv", "power"): "the rate never falls",
            ("poly", "power"): "the rate never falls",
            ("sigmoid", "gamma"): "the rate is always half of base_lr",
            ("sigmoid", "stepsize"): "the rate turns at iteration 0"}
_NEEDED = {field: tuple(policy for policy, other in _EFFECTS if other == field)
           for field in ("gamma", "power", "stepsize")}


def _is_forgotten(param: SolverParameter, field: str, policies: Sequence[str]) -> bool:
    """Tell whether a field is not set that one of these policies reads before training ends."""
    if param.HasField(field) or param.lr_policy not in policies:
        return False
    first = {"step": param.stepsize, "multistep": min(param.stepvalue, default=0)}
    return not 0 < param.max_iter <= first.get(param.lr_policy, 0)
