"""Whether a solver definition makes sense, found before anything is built."""
from __future__ import annotations

from collections.abc import Callable, Iterator

from .. import glog
from ..errors import PrototxtError
from ..proto.caffe_pb2 import SolverParameter
from ..proto.text import Place
from .policies import check_policy, policy_doubts
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
    for doubt in solver_doubts(param, place):
        glog.warning("%s", doubt)


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
    for number, passes in enumerate(param.test_iter):
        if passes < 1:
            yield PrototxtError("test_iter is too small", where=place.at("test_iter", number),
                                got=passes, wanted="at least 1")
    checks: tuple[Callable[[SolverParameter, Place], object], ...] = (check_policy, find_rule)
    for check in checks:
        try:
            check(param, place)
        except PrototxtError as error:
            yield error


def solver_doubts(param: SolverParameter, place: Place) -> Iterator[PrototxtError]:
    """Yield what Caffe takes and what is probably not meant."""
    if not param.base_lr:
        how = "0" if param.HasField("base_lr") else "not set"
        yield PrototxtError(f"base_lr is {how}, so nothing is learnt", where=place.at("base_lr"),
                            remedy="Set it, for example to 0.01")
    for field, is_wrong, effect in _DOUBTFUL:
        value = getattr(param, field)
        if is_wrong(value):
            yield PrototxtError(f"{field} is {value:g}: {effect}", where=place.at(field))
    yield from policy_doubts(param, place)
    if param.test_interval and not param.test_iter and not (param.test_net
                                                            or param.test_net_param):
        yield PrototxtError("test_interval is set, but test_iter is not, so nothing is tested",
                            where=place.at("test_interval"),
                            remedy="Set test_iter to the number of batches of a test")


_DOUBTFUL: tuple[tuple[str, Callable[[float], bool], str], ...] = (
    ("base_lr", lambda value: value < 0, "the loss is made larger, not smaller"),
    ("momentum", lambda value: value >= 1, "updates grow without bound"),
    ("momentum", lambda value: value < 0, "each update is turned against the one before"),
    ("weight_decay", lambda value: value < 0, "weights grow instead of shrinking"),
    ("clip_gradients", lambda value: value == 0, "every gradient is scaled to 0"),
)
