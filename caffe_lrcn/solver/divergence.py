"""Noticing that training has run away, before it spoils a snapshot."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..errors import DivergedError

if TYPE_CHECKING:
    from .solver import Solver


def check_loss(solver: Solver, loss: float) -> None:
    """Check the loss of a forward pass.

    Raises:
        DivergedError: it is NaN or infinite; names iteration, first layer and blob.
    """
    if not math.isfinite(loss):
        raise _diverged(solver, f"the loss became {loss}")


def check_params(solver: Solver) -> None:
    """Check the parameters before they are saved.

    Raises:
        DivergedError: one holds a NaN or an infinity.
    """
    xp = solver.backend.xp
    with solver.backend.device:
        finite = all(bool(xp.isfinite(blob.data).all()) for blob in solver.net.learnable_params)
    if not finite:
        raise _diverged(solver, "a parameter became NaN or infinite, no snapshot is taken")


def _diverged(solver: Solver, what: str) -> DivergedError:
    message = f"iteration {solver.iter}: {what}"
    bad, advice = solver.net.first_bad_blob(), "Lower base_lr, or set clip_gradients"
    if bad:
        if not solver.net.bottom_names[bad[0]] and bad[1] in solver.net.top_names[bad[0]]:
            advice = "The data that this layer reads hold such values themselves"
        message += f"; the first bad values are in layer '{bad[0]}', blob '{bad[1]}' ({bad[2]})"
    kept = (f"The last good snapshot is {solver.last_snapshot}" if solver.last_snapshot
            else "No snapshot was taken in this run")
    return DivergedError(message, remedy=f"{kept}. {advice}.")
