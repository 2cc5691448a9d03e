"""A training from its start, or from a snapshot, to its end."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np

from .. import glog
from ..backends import Backend
from ..backends.choose import announce
from ..glog import into_file
from ..layer_types.base import Settings
from ..net.transfer import Transfer
from ..proto.caffe_pb2 import SolverParameter
from ..proto.text import SolverDef
from . import snapshot
from .console import Console
from .report import element_names
from .scores import find_patience
from .signals import Action
from .solver import Solver
from .tensorboard import EventFile


@dataclass(frozen=True)
class Start:
    """Where a training begins.

    Args:
        state: the solver state to go on from; None: the first iteration.
        seed: replaces the definition's ``random_seed``.
        transfer: how the layers of the definition's ``weights`` get into the net.
    """

    state: str | None = None
    seed: int | None = None
    transfer: Transfer = field(default_factory=Transfer)


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


@dataclass(frozen=True)
class Watch:
    """What is shown and kept of a training besides its log, and what ends it early.

    Args:
        console: shows it on a terminal.
        patience: tests without improvement that end it; None: it goes on to its end.
        monitor: the output that ``patience`` looks at; see ``scores.find_patience``.
        saves_at_the_end: a snapshot is taken even if ``snapshot_after_train`` is false.
        tensorboard: folder of event files; None: none are written.
    """

    console: Console | None = None
    patience: int | None = None
    monitor: str | None = None
    saves_at_the_end: bool = False
    tensorboard: str | None = None


def log_path(param: SolverParameter) -> str:
    """Return where the log lines of a training go: beside its snapshots."""
    return f"{param.snapshot_prefix}.log"


def train(definition: SolverDef, backend: Backend, start: Start, actions: Callable[[], Action], *,
          settings: Settings | None = None, level: int = 0, stages: Sequence[str] = (),
          watch: Watch | None = None) -> Solver:
    """Train to ``max_iter``, or until an action stops it; return the solver, which is closed.

    All log lines also go to ``<snapshot_prefix>.log``. That of a former training is kept as
    ``.log.old``; a training that goes on from a snapshot writes on behind it.

    Args:
        definition: the solver.
        backend: where it runs.
        start: its first iteration, or a snapshot.
        actions: asked once an iteration whether to stop or to take a snapshot.
        settings: choices that hold for all nets.
        level: replaces the level in the definition. CAFFE-QUIRK: also where it is 0.
        stages: added to the train net's stages.
        watch: what is shown, and what ends it early.

    Raises:
        UsageError: ``watch`` asks for an output that no test net has.
        CaffeError: what ``Solver`` and ``Solver.solve`` raise.
    """
    # A definition that was built in a program may have no snapshot_prefix.
    named = bool(definition.param.snapshot_prefix)
    with into_file(log_path(definition.param), anew=not start.state) if named else nullcontext():
        return _train(definition, backend, start, actions, settings=settings, level=level,
                      stages=stages, watch=watch or Watch())


def _train(definition: SolverDef, backend: Backend, start: Start, actions: Callable[[], Action], *,
           settings: Settings | None, level: int, stages: Sequence[str], watch: Watch) -> Solver:
    announce(backend.name)
    solver = Solver(definition, backend=backend, settings=settings, level=level, stages=stages,
                    seed=start.seed, transfer=start.transfer)
    solver.next_action = actions
    try:
        _apply(watch, solver, start)
        if watch.console:
            watch.console.begin(solver, start.state, log_path(solver.param))
        glog.info("Starting Optimization")
        # The loss is checked anyway, with a message that names the layer.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            solver.solve(start.state)
    finally:
        for recorder in solver.recorders:
            recorder.close()
        solver.close()
    if watch.console:
        watch.console.end(solver, log_path(solver.param))
    # CAFFE-QUIRK: the solver has said this already unless it was stopped.
    glog.info("Optimization Done.")
    return solver


def _apply(watch: Watch, solver: Solver, start: Start) -> None:
    solver.saves_at_the_end = watch.saves_at_the_end
    if watch.patience is not None:
        outputs = [(f"test {number}", name) for number, net in enumerate(solver.test_nets)
                   for top in net.outputs for name in element_names(top, net.blobs[top].count)]
        solver.patience = find_patience(watch.patience, watch.monitor, outputs)
        solver.scores.signs[solver.patience.name] = solver.patience.sign
        glog.info(f"Patience: {solver.patience}")
    if watch.tensorboard:
        first = snapshot.load(start.state).state.iter if start.state else 0
        solver.recorders.append(EventFile(watch.tensorboard, first))
    if watch.console:
        solver.recorders.append(watch.console)
        solver.plain_progress = True
