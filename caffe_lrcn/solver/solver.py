"""The solver: one readable loop over forward, backward, update, test, display and snapshot.

Source: Caffe's Solver and SGDSolver.
"""
from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from .. import glog
from ..backends import Backend, get_backend
from ..backends.choose import device_for
from ..backends.scalars import NOT_FINITE, Reading
from ..errors import DivergedError, SnapshotError
from ..layer_types.base import Settings
from ..net.debug import debug_lines
from ..net.doubts import endless_cont, missing_loss, rate_doubt, unfilled
from ..net.transfer import Transfer
from ..proto.text import SolverDef, format_text
from . import checkpoint, snapshot
from .checks import check_solver
from .csv_log import MOST_ELEMENTS, CsvLog, Mark
from .data_files import Watched, data_facts, one_vocabulary
from .divergence import diverged
from .evaluation import evaluate
from .loss_window import LossWindow
from .nets import build_nets, choose_seed, load_weights, with_state
from .policies import advance_step, learning_rate
from .progress import ProgressLine
from .recorder import Recorder
from .report import Output, output_lines, read_outputs
from .resume_file import ResumeFile
from .rotation import Rotation
from .scores import Patience, Scores
from .signals import Action
from .step import EagerStep, TrainingStep
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
        transfer: how the layers of ``weights`` get into the net.

    ``iter`` counts finished iterations. ``callbacks`` holds pairs of functions, called before the
    first forward pass of an iteration and before its update. ``next_action`` is asked once an
    iteration, and between the passes of a test, whether to stop or to take a snapshot.
    ``recorders`` are told what is displayed, tested and saved; ``patience`` ends a training whose
    tests no longer get better; ``rotation`` says which snapshots stay; ``saves_at_the_end``
    stands for ``snapshot_after_train: true``.
    ``why_stopped`` is set by ``patience`` alone.

    Raises:
        PrototxtError, NetError, ShapeError, DataError, WeightsError, SnapshotError: the solver
            cannot be built, or its snapshots' folder cannot be written.
    """

    def __init__(self, definition: SolverDef, *, backend: Backend | None = None,
                 settings: Settings | None = None, level: int | None = None,
                 stages: Sequence[str] = (), seed: int | None = None,
                 transfer: Transfer | None = None) -> None:
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
        self._check_net()
        self.training: TrainingStep = EagerStep(self.net, self.param,
                                                find_rule(self.param, definition.place))
        self.history = self.net.arena.history
        self.iter = self.current_step = 0
        self.losses = LossWindow(self.param.average_loss)
        self.callbacks: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self.next_action: Callable[[], Action] = lambda: Action.NONE
        self.stopped_early = self.saves_at_the_end = self._has_stepped = False
        self.last_snapshot: str | None = None
        self._branch = 0
        self.keeps_losses = False
        self.recorders: list[Recorder] = []
        self.plain_progress = False
        self.scores = Scores(MOST_ELEMENTS)
        self.patience: Patience | None = None
        self.rotation: Rotation | None = None
        self.why_stopped: str | None = None
        # A test that is broken off is done again after resuming, from here: the states of the test
        # nets, the end of the table, and the scores before the test that is running.
        self._before_test: tuple[list[dict[str, Any]], Mark, list[dict[str, Any]]] | None = None
        self.display_clock = (time.monotonic(), 0)
        self.csv = CsvLog(f"{self.prefix}_log.csv",
                          [(name, net.blobs[name].count)
                           for net in (self.net, *self.test_nets) for name in net.outputs])
        self.keeps_csv = bool(self.param.snapshot)
        self.data = data_facts((self.net, *self.test_nets))
        self.net.vocabulary = one_vocabulary(self.data)
        self._watched = Watched(list(self.data))
        self.loaded = load_weights(definition, self.net, self.test_nets, transfer or Transfer())
        glog.info("Solver scaffolding done.")

    def _check_net(self) -> None:
        """Refuse a net that has nothing to learn from; warn of one in which nothing learns."""
        definition = self.net.definition
        error = missing_loss(self.net.graph, definition.layers)
        if error and not definition.param.force_backward:
            self.close_nets()
            raise error
        doubt = rate_doubt(self.net.graph, self.net.param_lr)
        if doubt:
            glog.warning("%s", doubt)

    def _warn_of_zero_weights(self) -> None:
        """Warn of weights that are still 0 when training starts."""
        for layer, doubt in unfilled(self.net.graph):
            weights = self.net.params[layer.param.name][0].data
            with self.backend.device:
                if not bool(weights.any()):
                    glog.warning("%s", doubt)

    def _warn_of_endless_cont(self) -> None:
        """Warn of a cont of the first iteration that begins no sequence."""
        graph, blobs = self.net.graph, self.net.blobs
        for doubt in endless_cont(graph, lambda blob: bool(
                (blobs[graph.blob_names[blob]].read_data() == 1).all())):
            glog.warning("%s", doubt)

    # Training ---------------------------------------------------------------------------------

    def solve(self, resume: str | None = None) -> None:
        """Train up to ``max_iter``, from a snapshot if one is given (see ``restore``)."""
        glog.info(f"Solving {self.net.name}")
        glog.info(f"Learning Rate Policy: {self.param.lr_policy}")
        # A definition that was built in a program may have no snapshot_prefix.
        snapshot_after = ((self.param.snapshot_after_train or self.saves_at_the_end)
                          and bool(self.prefix))
        if snapshot_after:
            snapshot.prepare(self.prefix)
            self.keeps_csv = True
        if resume:
            self.restore(resume)
        self.step(max(0, self.param.max_iter - self.iter))
        every = self.param.snapshot
        if snapshot_after and not self.why_stopped and (not every or self.iter % every):
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
        progress = ProgressLine(sys.stderr, end, self.plain_progress)
        if not self._has_stepped:
            self._warn_of_zero_weights()
        self._has_stepped = True
        self.stopped_early = False
        # A run that goes on from a snapshot goes on with its window too.
        if not self.keeps_losses:
            self.losses.clear()
        self.keeps_losses = False
        try:
            with self.backend.device:
                while self.iter < end and not self.stopped_early:
                    self._iterate()
                    if progress.is_due():
                        progress.show(self.iter, self.losses.mean, self.lr)
        finally:
            progress.close()

    def _iterate(self) -> None:
        self.net.clear_param_diffs()
        test_due = self._is_due(self.param.test_interval)
        if (test_due and (self.iter or self.param.test_initialization)
                and (not self.test_all() or self.why_stopped)):
            self.stopped_early = True
            return
        for on_start, _ in self.callbacks:
            on_start()
        displayed = self._is_due(self.param.display)
        with debug_lines(self.net, self.param.debug_info and displayed):
            reading = self.training.gradients()
        self.net.check_status(reading.status)
        if reading.status & NOT_FINITE:
            raise self._diverged(f"the loss became {reading.loss}")
        if not self.iter:
            self._warn_of_endless_cont()
        self.losses.add(reading.loss / self.param.iter_size)
        if displayed:
            self._display()
        for _, on_gradients in self.callbacks:
            on_gradients()
        # They may have changed the gradients.
        self.apply_update(None if self.callbacks else reading)
        action = self.next_action()
        if self._is_due(self.param.snapshot) or action is Action.SNAPSHOT:
            self.snapshot()
        self.stopped_early = action is Action.STOP

    def _is_due(self, interval: int) -> bool:
        return interval > 0 and self.iter % interval == 0

    def _diverged(self, what: str) -> DivergedError:
        return diverged(self.net, self.iter, what, self.last_snapshot)

    def apply_update(self, reading: Reading | None = None) -> None:
        """Turn gradients into steps, take them, and count the iteration.

        Args:
            reading: what was measured of these gradients; None measures them now.
        """
        if reading is None:
            reading = self.training.measure()
            self.net.check_status(reading.status)
        step = advance_step(self.param, self.iter, self.current_step)
        if step != self.current_step and self.param.lr_policy == "multistep":
            glog.info(f"MultiStep Status: Iteration {self.iter}, step = {step}")
        self.current_step = step
        rate = learning_rate(self.param, self.iter, step)
        if self._is_due(self.param.display):
            glog.info(f"Iteration {self.iter}, lr = {rate:g}")
        if reading.clip != 1:
            glog.info("Gradient clipping: scaling down gradients (L2 norm "
                      f"{math.sqrt(reading.squares):g} > {self.param.clip_gradients:g}) "
                      f"by scale factor {reading.clip:g}")
        self.training.update(rate, self.iter)
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
        self._watched.look()
        states, mark = [net.state() for net in self.test_nets], self.csv.position
        scores = self.scores.state()
        self._before_test = states, mark, scores
        try:
            if all(self._test(number) for number in range(len(self.test_nets))):
                self._lose_patience()
                if self.rotation and self.rotation.is_best(self.iter) and not self._is_saved():
                    self.snapshot()  # as one that is asked for during the test
                return True
            glog.info("Test interrupted.")
            for net, state in zip(self.test_nets, states, strict=True):
                net.restore(state)
            self.csv.cut(mark)
            self.scores.restore(scores)
            return False
        finally:
            self._before_test = None

    def _lose_patience(self) -> None:
        """Stop a training that no longer gets better, with a snapshot from before this test.

        A resumed run does the test again: it stops there too, unless it has more patience.
        """
        reason = self.patience.verdict(self.scores) if self.patience else None
        if reason and self.iter < self.param.max_iter:
            self.why_stopped = reason
            glog.info(f"Stopping: {reason}")
            if not self._is_saved():
                self.snapshot()

    def _is_saved(self) -> bool:
        """Return whether this iteration has a snapshot, under this prefix."""
        return (self.last_snapshot or "").startswith(f"{self.prefix}_iter_{self.iter}.solverstate")

    def _test(self, number: int) -> bool:
        glog.info(f"Iteration {self.iter}, Testing net (#{number})")
        net = self.test_nets[number]
        net.share_trained_layers_with(self.net)
        means = evaluate(net, self.param.test_iter[number], self._goes_on, self.param.debug_info)
        if means is None:
            return False
        if self.param.test_compute_loss:
            glog.info(f"Test loss: {means.loss:g}")
        for line in output_lines("Test", means.outputs):
            glog.info(line)
        self.write_row(f"test {number}", means.loss, means.outputs)
        return True

    def _goes_on(self) -> bool:
        """Do what is asked for between the passes of a test; return False to break it off."""
        while (action := self.next_action()) is not Action.NONE:
            if action is Action.STOP:
                return False
            self.snapshot()
        return True

    def write_row(self, net: str, loss: float, outputs: list[Output]) -> None:
        """Add a row to the CSV log, if one is kept, and tell the recorders."""
        row = self.iter, net, self.lr, loss, outputs
        if self.keeps_csv:
            self.csv.write(*row)
        self.scores.write(*row)
        for recorder in self.recorders:
            recorder.write(*row)

    # Snapshots --------------------------------------------------------------------------------

    def snapshot(self) -> str:
        """Write weights, solver state and sidecar; return the path of the solver state.

        Raises:
            DivergedError: a parameter is NaN or infinite; nothing is written.
            SnapshotError: a file could not be written; older snapshots stay as they are.
        """
        xp = self.backend.xp
        with self.backend.device:
            finite = all(bool(xp.isfinite(blob.data).all()) for blob in self.net.learnable_params)
        if not finite:
            raise self._diverged("a parameter became NaN or infinite, no snapshot is taken")
        if not self.prefix:
            raise SnapshotError("a snapshot is asked for, but snapshot_prefix is not set",
                                where=self.definition.place.at())
        self._watched.look()
        self.csv.sync()
        for recorder in self.recorders:
            recorder.saving()
        tests, mark, scores = self._before_test or ([net.state() for net in self.test_nets],
                                                    self.csv.position, self.scores.state())
        resume = ResumeFile(iteration=self.iter, seed=self.seed, written=time.time(), files={},
                            losses=self.losses.state(),
                            csv=asdict(mark) if self.keeps_csv else None, train=self.net.state(),
                            tests=tests, arithmetic=self._arithmetic(), scores=scores,
                            data=self.data, branch=self._branch)
        self.last_snapshot = checkpoint.save(self.prefix, self.param, self.net, self.history,
                                             self.current_step, resume)
        for recorder in self.recorders:
            recorder.saved(self.iter, self.last_snapshot)
        return self.last_snapshot

    def _arithmetic(self) -> dict[str, Any]:
        """Return what the bits of a run's numbers depend on, besides its definition."""
        backend = self.backend
        return {"backend": backend.name, "type": str(backend.dtype), "--math": backend.math,
                "--strict": self.settings.strict,
                "--freeze": ",".join(self.settings.frozen) or "nothing"}

    def restore(self, request: str) -> None:
        """Go on from a snapshot: exactly if it has a sidecar, else as Caffe does.

        Args:
            request: a solver state, ``latest``, or a prefix (see ``snapshot.find``).

        Raises:
            SnapshotError: there is no such snapshot, or it does not fit the solver.
            WeightsError: its weights do not fit the net.
        """
        found = checkpoint.restore(request, self.prefix, self.net, self.history,
                                   len(self.test_nets), self.data)
        self.iter, self.current_step = found.state.iter, found.state.current_step
        self.display_clock = time.monotonic(), self.iter
        self.last_snapshot = found.path
        if found.resume:
            self._restore_exactly(found.resume)
        self._branch = snapshot.branch(self.prefix, found)
        if self.rotation and found.resume:
            self.rotation.saved(self.iter, found.path)  # ends what a kill broke off

    def _restore_exactly(self, resume: ResumeFile) -> None:
        checkpoint.warn_of_differences(resume, self.seed, self._arithmetic())
        for net, state in zip((self.net, *self.test_nets), (resume.train, *resume.tests),
                              strict=True):
            net.restore(state)
        self.keeps_losses = self.losses.restore(resume.losses)
        self.scores.restore(resume.scores)
        if resume.csv:
            self.csv.cut(Mark(**resume.csv))

    def close(self) -> None:
        """Stop data sources and close the CSV log."""
        self.close_nets()
        self.csv.close()

    def close_nets(self) -> None:
        """Stop data sources."""
        for net in (self.net, *self.test_nets):
            net.close()
