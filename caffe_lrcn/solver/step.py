"""One training step: from a batch to moved parameters.

``Solver`` asks a step for gradients, shows the loss, and asks it to move the parameters. Nothing
waits for the device but ``gradients`` and ``measure``, each once at its end.
"""
from __future__ import annotations

from typing import Protocol

from ..backends.scalars import Reading
from ..net.net import Net
from ..proto.caffe_pb2 import SolverParameter
from .updates import Rule, update_spec


class TrainingStep(Protocol):
    """What a solver needs of a step, however it is run."""

    def gradients(self) -> Reading:
        """Add the gradients of ``iter_size`` batches to the diffs, over all ranks; ``measure``.

        The loss that is read is the sum over the batches.
        """

    def measure(self) -> Reading:
        """Take the norm of the gradients, decide how much to clip, and read the scalars."""

    def update(self, rate: float, iteration: int) -> None:
        """Clip as decided, normalise, regularise, and subtract what the rule makes of it.

        Args:
            rate: the learning rate.
            iteration: finished iterations.
        """


class EagerStep:
    """A step that launches op after op.

    Args:
        net: the net to train; its parameters move into flat arrays.
        param: the solver's parameters; changes take effect at the next step.
        rule: what turns gradients into steps.
    """

    def __init__(self, net: Net, param: SolverParameter, rule: Rule) -> None:
        self._net, self._param = net, param
        self._op = getattr(net.backend.update, rule.op)
        net.arena.bind(rule.histories)

    def gradients(self) -> Reading:
        """Run the net on ``iter_size`` batches; see ``TrainingStep``."""
        scalars = self._net.scalars
        with self._net.backend.device:
            scalars.begin()
            for _ in range(self._param.iter_size):
                self._net.forward_backward()  # data layers feed themselves
                if scalars.seen():
                    break  # the blobs still show what went wrong
            self._reduce()
            return self.measure()

    def _reduce(self) -> None:
        """Sum the gradients over all ranks: here there is one."""

    def measure(self) -> Reading:
        """Take the norm, if there is a limit to it; see ``TrainingStep``."""
        # CAFFE-QUIRK: the norm is that of the sum over iter_size passes, before weight decay; a
        # limit of 0 wipes out every gradient, a negative one does nothing.
        scalars, backend, limit = self._net.scalars, self._net.backend, self._param.clip_gradients
        with backend.device:
            if limit < 0:
                scalars.clip.fill(1)
            else:
                scalars.squares.fill(0)
                for part in self._net.arena.parts():
                    backend.scratch.rewind()
                    backend.update.add_squares(part, scalars.squares, backend.scratch)
                backend.update.clip_factor(scalars.squares, limit, scalars.clip)
            return scalars.read()

    def update(self, rate: float, iteration: int) -> None:
        """Run the rule's op over the arena; see ``TrainingStep``."""
        scalars, backend = self._net.scalars, self._net.backend
        spec = update_spec(self._param)
        with backend.device:
            scalars.rate.fill(rate)
            scalars.count.fill(iteration)
            for part in self._net.arena.parts():
                backend.scratch.rewind()
                self._op(part, spec, scalars, backend.scratch)
