"""The solver: one readable loop over forward, backward, update, test, display and snapshot.

Source: Caffe's Solver and SGDSolver.
"""
from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from .. import glog
from ..backends import Backend, get_backend
from ..backends.choose import device_for
from ..blob import Blob
from ..layer_types.base import Settings
from ..net.debug import debug_lines
from ..proto.text import SolverDef, format_text
from . import checkpoint, gradients, snapshot
from .checks import check_solver
from .csv_log import CsvLog
from .divergence import check_loss, check_params
from .loss_window import LossWindow
from .lr_policy import advance_step, learning_rate
from .nets import build_nets, choose_seed, load_weights, with_state
from .progress import ProgressLine
from .report import Output, output_lines, read_outputs
from .signals import Action
from .testing import BeforeTest, run_tests
from .updates import find_rule


class Solver:
    """Trains a net as a solver definition says.

    Args:
        definition: the parsed solver.
        backend: where to run; None: as ``solver_mode`` says.
        settings: choices for all nets.
        level: replaces the train net's level if given.
        stages: added to the train net's stages.
        seed: replaces ``random_seed`` (the seed of a run that is resumed).

    ``iter`` counts finished iterations. ``callbacks`` holds pairs of functions, called before the
    first forward pass of an iteration and before its update. ``next_action`` is asked once an
    iteration, and between the passes of a test, whether to stop or to take a snapshot.

    Raises:
        PrototxtError, NetError, ShapeError, DataError, WeightsError, SnapshotError: the solver
            cannot be built, or its snapshots' folder cannot be written.
    """

    def __init__(self, definition: SolverDef, *, backend: Backend | None = None,
                 settings: Settings | None = None, level: int | None = None,
                 stages: Sequence[str] = (), seed: int | None = None) -> None:
        definition = with_state(definition, level, stages)
        self.definition, self.param = definition, definition.param
        check_solver(self.param, definition.place)
        self.prefix = self.param.snapshot_prefix
        glog.info(f"Initializing solver from parameters: \n{format_text(self.param)}")
        if self.param.snapshot:
            snapshot.prepare(self.prefix)
        self.backend = backend or get_backend(device_for(self.param))
        self.seed = choose_seed(self.param) if seed is None else seed
        self.settings = settings or Settings()
        self.net, self.test_nets = build_nets(definition, self.backend, self.seed, self.settings)
        self.rule = find_rule(self.param, definition.place)
        # All first histories, then all second ones: the order of Caffe's solver states.
        self.history = [Blob(self.backend, blob.shape) for _ in range(self.rule.histories)
                        for blob in self.net.learnable_params]
        self.iter = self.current_step = 0
        self.losses = LossWindow(self.param.average_loss)
        self.callbacks: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self.next_action: Callable[[], Action] = lambda: Action.NONE
        self.stopped_early = False
        self.last_snapshot: str | None = None
        self.keeps_losses = False
        self.before_test: BeforeTest | None = None
        self.display_clock = (time.monotonic(), 0)
        self.csv = CsvLog(f"{self.prefix}_log.csv",
                          [(name, net.blobs[name].count)
                           for net in (self.net, *self.test_nets) for name in net.outputs])
        self.keeps_csv = bool(self.param.snapshot)
        load_weights(definition, self.net, self.test_nets)
        glog.info("Solver scaffolding done.")

    # Training ---------------------------------------------------------------------------------

    def solve(self, resume: str | None = None) -> None:
        """Train up to ``max_iter``, from a snapshot if one is given (see ``restore``)."""
        glog.info(f"Solving {self.net.name}")
        glog.info(f"Learning Rate Policy: {self.param.lr_policy}")
        # A definition that was built in a program may have no snapshot_prefix.
        snapshot_after = self.param.snapshot_after_train and bool(self.prefix)
        if snapshot_after:
            snapshot.prepare(self.prefix)
            self.keeps_csv = True
        if resume:
            self.restore(resume)
        self.step(max(0, self.param.max_iter - self.iter))
        every = self.param.snapshot
        if snapshot_after and (not every or self.iter % every):
            self.snapshot()
        if self.stopped_early:
            glog.info("Optimization stopped early.")
            return
        if self._is_due(self.param.display):
            self.losses.add(self.net.forward())
            glog.info(f"Iteration {self.iter}, loss = {self.losses.mean:g}")
            self.write_row("train", self.losses.mean, read_outputs(self.net))
        if self._is_due(self.param.test_interval) and not self.test_all():
            self.stopped_early = True
        glog.info("Optimization Done.")

    def step(self, iterations: int) -> None:
        """Train for ``iterations`` iterations, or until an action stops it.

        Raises:
            DivergedError: the loss became NaN or infinite.
            SnapshotError: a snapshot or the CSV log could not be written.
        """
        end = self.iter + iterations
        progress = ProgressLine(sys.stderr, end)
        self.stopped_early = False
        # A run that goes on from a snapshot goes on with its window too.
        if not self.keeps_losses:
            self.losses.clear()
        self.keeps_losses = False
        try:
            with self.backend.device:
                while self.iter < end and not self.stopped_early:
                    self._iterate()
                    progress.show(self.iter, self.losses.mean, self.lr)
        finally:
            progress.close()

    def _iterate(self) -> None:
        self.net.clear_param_diffs()
        test_due = self._is_due(self.param.test_interval)
        if test_due and (self.iter or self.param.test_initialization) and not self.test_all():
            self.stopped_early = True
            return
        for on_start, _ in self.callbacks:
            on_start()
        self.losses.add(self._accumulate_gradients())
        if self._is_due(self.param.display):
            self._display()
        for _, on_gradients in self.callbacks:
            on_gradients()
        self.apply_update()
        action = self.next_action()
        if self._is_due(self.param.snapshot) or action is Action.SNAPSHOT:
            self.snapshot()
        self.stopped_early = action is Action.STOP

    def _is_due(self, interval: int) -> bool:
        return interval > 0 and self.iter % interval == 0

    def _accumulate_gradients(self) -> float:
        """Run iter_size forward and backward passes and return their mean loss."""
        total = 0.0
        with debug_lines(self.net, self.param.debug_info and self._is_due(self.param.display)):
            for _ in range(self.param.iter_size):
                loss = self.net.forward()
                check_loss(self, loss)
                total += loss
                self.net.backward()
        return total / self.param.iter_size

    def apply_update(self) -> None:
        """Turn gradients into steps, take them, and count the iteration."""
        step = advance_step(self.param, self.iter, self.current_step)
        if step != self.current_step and self.param.lr_policy == "multistep":
            glog.info(f"MultiStep Status: Iteration {self.iter}, step = {step}")
        self.current_step = step
        rate = learning_rate(self.param, self.iter, step)
        if self._is_due(self.param.display):
            glog.info(f"Iteration {self.iter}, lr = {rate:g}")
        with self.backend.device:
            params = self.net.learnable_params
            gradients.clip(self.backend, params, self.param.clip_gradients)
            for index, blob in enumerate(params):
                gradients.normalise(self.backend, blob, self.param.iter_size)
                gradients.regularise(self.backend, blob, self.param.regularization_type,
                                     self.param.weight_decay * self.net.param_decay[index])
                history = [slot.data for slot in self.history[index::len(params)]]
                self.rule.update(self.backend, self.param, rate * self.net.param_lr[index],
                                 self.iter, blob.diff, history)
            self.net.update()
        self.iter += 1

    @property
    def lr(self) -> float:
        """Learning rate of the current iteration."""
        step = advance_step(self.param, self.iter, self.current_step)
        return learning_rate(self.param, self.iter, step)

    # Display and test -------------------------------------------------------------------------

    def _display(self) -> None:
        now, (before, iteration) = time.monotonic(), self.display_clock
        lapse, done = now - before, self.iter - iteration
        glog.info(f"Iteration {self.iter} ({done / lapse if lapse else 0:g} iter/s, {lapse:g}s/"
                 f"{self.param.display} iters), loss = {self.losses.mean:g}")
        self.display_clock = now, self.iter
        outputs = read_outputs(self.net)
        for line in output_lines("Train", outputs):
            glog.info(line)
        self.write_row("train", self.losses.mean, outputs)

    def test_all(self) -> bool:
        """Run every test net; return False if an action stopped it."""
        return run_tests(self)

    def write_row(self, net: str, loss: float, outputs: list[Output]) -> None:
        """Add a row to the CSV log, if one is kept."""
        if self.keeps_csv:
            self.csv.write(self.iter, net, self.lr, loss, outputs)

    # Snapshots --------------------------------------------------------------------------------

    def snapshot(self) -> str:
        """Write weights, solver state and sidecar; return the path of the solver state.

        Raises:
            DivergedError: a parameter is NaN or infinite; nothing is written.
            SnapshotError: a file could not be written; older snapshots stay as they are.
        """
        check_params(self)
        self.csv.sync()
        self.last_snapshot = checkpoint.save(self)
        return self.last_snapshot

    def restore(self, request: str) -> None:
        """Go on from a snapshot: exactly if it has a sidecar, else as Caffe does.

        Args:
            request: a solver state, ``latest``, or a prefix (see ``snapshot.find``).

        Raises:
            SnapshotError: there is no such snapshot, or it does not fit the solver.
            WeightsError: its weights do not fit the net.
        """
        checkpoint.restore(self, request)

    def close(self) -> None:
        """Stop data sources and close the CSV log."""
        for net in (self.net, *self.test_nets):
            net.close()
        self.csv.close()
