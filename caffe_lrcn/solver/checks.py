"""Whether a solver definition makes sense, found before anything is built."""
from __future__ import annotations

from collections.abc import Callable, Iterator

from .. import glog
from ..errors import PrototxtError
from ..proto.caffe_pb2 import SolverParameter
from ..proto.text import Place
from .policies import check_policy
from .updates import REGULARIZATIONS, find_rule

_AT_LEAST = {"average_loss": 1, "iter_size": 1, "snapshot": 0, "test_interval": 0, "display": 0,
             "max_iter": 0}


def check_solver(param: SolverParameter, place: Place) -> None:
    """Check every field of a solver that does not concern its nets.

    Raises:
        PrototxtError: a value out of range, an unknown policy, type or regularization.
    """
    for error in solver_errors(param, place):
        raise error
    if not param.base_lr:
        glog.warning("base_lr is 0 or not set: nothing will be learnt")


def solver_errors(param: SolverParameter, place: Place) -> Iterator[PrototxtError]:
    """Yield every error that ``check_solver`` may raise, one after the other."""
    for field, least in _AT_LEAST.items():
        value = getattr(param, field)
        if value < least:
            yield PrototxtError(f"{field} is too small", where=place.at(field), got=value,
                                wanted=f"at least {least}")
    if param.regularization_type not in REGULARIZATIONS:
        yield PrototxtError("unknown regularization_type", where=place.at("regularization_type"),
                            got=repr(param.regularization_type),
                            wanted=", ".join(REGULARIZATIONS))
    if param.snapshot and not param.snapshot_prefix:
        yield PrototxtError("snapshots are asked for, but snapshot_prefix is not set",
                            where=place.at("snapshot"),
                            remedy="Set snapshot_prefix, for example \"out/mynet\".")
    checks: tuple[Callable[[SolverParameter, Place], object], ...] = (check_policy, find_rule)
    for check in checks:
        try:
            check(param, place)
        except PrototxtError as error:
            yield error
