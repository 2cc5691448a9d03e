"""A training from its start, or from a snapshot, to its end."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

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
from .lock import locked
from .report import element_names
from .rotation import Rotation
from .run_folder import write_definitions
from .scores import find_output, find_patience
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
        force: begin although there are snapshots of a run with the same prefix.
        looked: snapshots to go on from were looked for, and none was there.
    """

    state: str | None = None
    seed: int | None = None
    transfer: Transfer = field(default_factory=Transfer)
    force: bool = False
    looked: bool = False


def resume_from(request: str, definition: SolverDef, otherwise: Start | None = None) -> Start:
    """Find a snapshot to go on from; then weights that the definition names are forgotten.

    Args:
        request: a file, ``latest``, or a prefix, as ``snapshot.find`` takes them; or ``auto``:
            as ``latest`` if there are snapshots, else the first iteration.
        definition: the solver.
        otherwise: how to begin at the first iteration.

    Raises:
        SnapshotError: there is no such file, or no complete set.
    """
    param = definition.param
    if request == snapshot.AUTO:
        found = snapshot.find_if_any(param.snapshot_prefix)
        if found is None:
            glog.info(f"{param.snapshot_prefix} has no snapshot yet: beginning a new run")
            return replace(otherwise or Start(), looked=True)
        request = found
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
        run: its definitions are kept beside the snapshots; see ``run_folder``.
        keep: how many snapshots stay; None: all.
        keep_best: the output by which the best one stays, too; named as for ``monitor``.
    """

    console: Console | None = None
    patience: int | None = None
    monitor: str | None = None
    saves_at_the_end: bool = False
    tensorboard: str | None = None
    run: str | None = None
    keep: int | None = None
    keep_best: str | None = None


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
        SnapshotError: another training has this snapshot_prefix, or had it and left snapshots.
        CaffeError: what ``Solver`` and ``Solver.solve`` raise.
    """
    prefix = definition.param.snapshot_prefix
    with ExitStack() as stack:
        # A definition that was built in a program may have no snapshot_prefix.
        if prefix:
            stack.enter_context(locked(prefix))
            if not start.state and not start.force:
                snapshot.refuse_to_overwrite(prefix, weights=not start.looked)
            if watch and watch.run is not None:
                write_definitions(Path(prefix).parent, definition)
            stack.enter_context(into_file(log_path(definition.param), anew=not start.state))
        return _train(definition, backend, start, actions, settings=settings, level=level,
                      stages=stages, watch=watch or Watch())


def _train(definition: SolverDef, backend: Backend, start: Start, actions: Callable[[], Action], *,
           settings: Settings | None, level: int, stages: Sequence[str], watch: Watch) -> Solver:
    announce(backend.name)
    solver = Solver(definition, backend=backend, settings=settings, level=level, stages=stages,
                    seed=start.seed, transfer=start.transfer)
    solver.next_action = actions
    if not start.state and solver.prefix:
        snapshot.forget(solver.prefix)
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
    outputs = [(f"test {number}", name) for number, net in enumerate(solver.test_nets)
               for top in net.outputs for name in element_names(top, net.blobs[top].count)]
    if watch.keep is not None or watch.keep_best is not None:
        solver.rotation = Rotation(solver.prefix, watch.keep, solver.scores)
        if watch.keep_best is not None:
            found = find_output("--keep-best", watch.keep_best, outputs)
            solver.rotation.best = found[:2]
            solver.scores.signs[found[1]] = found[2]
        solver.recorders.append(solver.rotation)
    if watch.patience is not None:
        solver.patience = find_patience(watch.patience, watch.monitor, outputs)
        solver.scores.signs[solver.patience.name] = solver.patience.sign
        glog.info(f"Patience: {solver.patience}")
    if watch.tensorboard:
        first = snapshot.load(start.state).state.iter if start.state else 0
        solver.recorders.append(EventFile(watch.tensorboard, first))
    if watch.console:
        solver.recorders.append(watch.console)
        solver.plain_progress = True
