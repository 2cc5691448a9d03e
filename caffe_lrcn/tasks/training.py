"""A training as part of a longer job: done once, and gone on with where it was stopped."""
from __future__ import annotations

import sys
from pathlib import Path

from ..backends import get_backend
from ..backends.choose import device_for
from ..layer_types.base import Settings
from ..proto.text import SolverDef
from ..solver.console import Console
from ..solver.signals import SignalActions
from ..solver.snapshot import LATEST, set_paths
from ..solver.training import Start, Watch, resume_from, train


def train_to_the_end(definition: SolverDef, settings: Settings,
                     console: Console | None = None) -> Path:
    """Train as a solver says, from its furthest snapshot if there is one; return the weights.

    Args:
        definition: the solver.
        settings: of its nets.
        console: shows the training on a terminal.

    Raises:
        CaffeError: the training failed.
        KeyboardInterrupt: it was stopped by a signal, and took a snapshot.
    """
    param = definition.param
    weights = Path(set_paths(param.snapshot_prefix, param.max_iter, hdf5=False).weights)
    prefix = Path(param.snapshot_prefix)
    taken = [int(state.stem.rpartition("_")[2])
             for state in prefix.parent.glob(f"{prefix.name}_iter_*.solverstate")]
    with SignalActions() as actions:
        # Snapshots of a longer run are of no use.
        start = (resume_from(LATEST, definition) if taken and max(taken) <= param.max_iter
                 else Start(force=True))
        done = train(definition, get_backend(device_for(param)), start, actions,
                     settings=settings, watch=Watch(console=console))
    if not weights.exists():
        print(f"Stopped at iteration {done.iter}. The same command as before goes on there.",
              file=sys.stderr, flush=True)
        raise KeyboardInterrupt
    return weights
