"""A training from its start, or from a snapshot, to its end."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .. import glog
from ..backends import Backend
from ..layer_types.base import Settings
from ..proto.text import SolverDef
from . import snapshot
from .signals import Action
from .solver import Solver


@dataclass(frozen=True)
class Start:
    """Where a training begins.

    Args:
        state: the solver state to go on from; None: the first iteration.
        seed: replaces the definition's ``random_seed``.
    """

    state: str | None = None
    seed: int | None = None


def resume_from(request: str, definition: SolverDef) -> Start:
    """Find a snapshot to go on from; weights that the definition names are forgotten.

    Args:
        request: a file, ``latest``, or a prefix, as ``snapshot.find`` takes them.

    Raises:
        SnapshotError: there is no such file, or no complete set.
    """
    param = definition.param
    param.ClearField("weights")
    state = snapshot.find(request, param.snapshot_prefix)
    glog.info(f"Resuming from {state}")
    # Without a random_seed the run goes on with the one it drew when it began.
    return Start(state, snapshot.seed_of(state) if param.random_seed < 0 else None)


def train(definition: SolverDef, backend: Backend, start: Start, actions: Callable[[], Action], *,
          settings: Settings | None = None, level: int = 0, stages: Sequence[str] = ()) -> Solver:
    """Train to ``max_iter``, or until an action stops it; return the solver, which is closed.

    Args:
        definition: the solver.
        backend: where it runs.
        start: its first iteration, or a snapshot.
        actions: asked once an iteration whether to stop or to take a snapshot.
        settings: choices that hold for all nets.
        level: replaces the level in the definition. CAFFE-QUIRK: also where it is 0.
        stages: added to the train net's stages.

    Raises:
        CaffeError: what ``Solver`` and ``Solver.solve`` raise.
    """
    solver = Solver(definition, backend=backend, settings=settings, level=level, stages=stages,
                    seed=start.seed)
    solver.next_action = actions
    try:
        glog.info("Starting Optimization")
        # The loss is checked anyway, with a message that names the layer.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            solver.solve(start.state)
    finally:
        solver.close()
    # CAFFE-QUIRK: the solver has said this already unless it was stopped.
    glog.info("Optimization Done.")
    return solver
