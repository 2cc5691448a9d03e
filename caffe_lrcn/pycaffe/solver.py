"""The solvers with pycaffe's calls. Source: pycaffe's _caffe.cpp."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ..errors import BackendError, DataError, UsageError
from ..layer_types.base import Settings
from ..proto import caffe_pb2
from ..proto.file_kinds import missing_file_remedy
from ..proto.text import read_solver
from ..solver.solver import Solver as EngineSolver
from ..solver.updates import find_rule
from .modes import current_backend, given_seed
from .net import Net
from .vectors import NetVec


class Solver:
    """A solver from a file. CAFFE-QUIRK: the class decides the rule, the file's type does not.

    ``net`` is trained, ``test_nets`` share its weights while they test; both belong to the solver.

    Args:
        solver_file: the definition.
        freeze: names or patterns (``conv*``) of layers whose parameters are not learnt; pycaffe
            does not have this.

    Raises:
        PrototxtError, NetError, ShapeError, DataError, WeightsError: all of them RuntimeErrors.

    Source: pycaffe's solvers.
    """

    rule = "SGD"

    def __init__(self, solver_file: str | os.PathLike, *, freeze: Sequence[str] = ()) -> None:
        path = os.fspath(solver_file)
        if not os.path.exists(path):
            raise DataError("no such solver file", where=path, remedy=missing_file_remedy(path))
        definition = read_solver(path)
        definition.param.type = self.rule
        seed = given_seed()
        if seed is not None and definition.param.random_seed < 0:
            definition.param.random_seed = seed
        self._solver = EngineSolver(definition, backend=current_backend(),
                                    settings=Settings(frozen=tuple(freeze)))
        self.net = Net.from_engine(self._solver.net)
        self.test_nets = NetVec(map(Net.from_engine, self._solver.test_nets))

    iter = property(lambda self: self._solver.iter, doc="Number of finished iterations.")

    @property
    def param(self) -> caffe_pb2.SolverParameter:
        """The solver's parameters; changes, such as of ``base_lr``, take effect at once."""
        return self._solver.param

    @property
    def lr(self) -> float:
        """Learning rate of the current iteration."""
        return self._solver.lr

    def step(self, iterations: int) -> None:
        """Train for ``iterations`` iterations.

        Raises:
            UsageError: this is not a number of iterations.
        """
        if iterations < 0 or iterations != int(iterations):
            raise UsageError("step takes a number of iterations", got=iterations,
                             wanted="a whole number, 0 or more")
        self._solver.step(int(iterations))

    def solve(self, resume_file: str | os.PathLike | None = None) -> None:
        """Train to ``max_iter``, after resuming from a solver state if one is given."""
        self._solver.solve(os.fspath(resume_file) if resume_file else None)

    def snapshot(self) -> None:
        """Write weights and solver state under ``snapshot_prefix``."""
        self._solver.snapshot()

    def restore(self, path: str | os.PathLike) -> None:
        """Resume from a ``.solverstate`` or ``.solverstate.h5``."""
        self._solver.restore(os.fspath(path))

    def apply_update(self) -> None:
        """Turn the net's gradients into steps, take them, and count an iteration."""
        self._solver.apply_update()

    def share_weights(self, net: Net) -> None:
        """Let ``net`` use the weights of this solver's net."""
        net.share_with(self.net)

    def add_callback(self, on_start: Callable[[], None],
                     on_gradients_ready: Callable[[], None]) -> None:
        """Call functions before the first forward pass of each iteration and before its update."""
        self._solver.callbacks.append((on_start, on_gradients_ready))


class SGDSolver(Solver):
    """``v = momentum · v + rate · g; w -= v``."""


class NesterovSolver(SGDSolver):
    """SGD with Nesterov's momentum."""

    rule = "Nesterov"


class AdaGradSolver(SGDSolver):
    """Rates divided by the root of the sum of squared gradients."""

    rule = "AdaGrad"


class RMSPropSolver(SGDSolver):
    """Rates divided by the root of a running mean of squared gradients."""

    rule = "RMSProp"


class AdaDeltaSolver(SGDSolver):
    """Steps scaled by the ratio of running means of squared steps and squared gradients."""

    rule = "AdaDelta"


class AdamSolver(SGDSolver):
    """Running means of the gradient and of its square, both corrected for their start at zero."""

    rule = "Adam"


SOLVERS: dict[str, type[Solver]] = {
    "SGD": SGDSolver,
    "Nesterov": NesterovSolver,
    "AdaGrad": AdaGradSolver,
    "RMSProp": RMSPropSolver,
    "AdaDelta": AdaDeltaSolver,
    "Adam": AdamSolver,
}


def get_solver(solver_file: str | os.PathLike) -> Solver:
    """Return a solver of the class that the file's ``type`` names.

    Raises:
        PrototxtError: an unknown type, or a definition that cannot be read.
    """
    definition = read_solver(os.fspath(solver_file))
    find_rule(definition.param, definition.place)
    return SOLVERS[definition.param.type](solver_file)


class NCCL:
    """Training on several GPUs, which is not supported.

    Raises:
        BackendError: always.
    """

    def __init__(self, solver: Solver, uid: str | bytes) -> None:
        raise _no_nccl()

    @staticmethod
    def new_uid() -> bytes:
        """Raise BackendError."""
        raise _no_nccl()

    def bcast(self) -> None:
        """Raise BackendError."""
        raise _no_nccl()


def _no_nccl() -> BackendError:
    return BackendError("training on several GPUs (NCCL) is not supported",
                        remedy="Train with one solver on one device.")
