"""What the systems of Table 9 learn from, and how they are trained."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...layer_types.base import Settings
from ...proto.text import SolverDef
from ...solver.console import Console
from ...solver.snapshot import set_paths
from ..description.roles import Roles, read_roles
from ..training import train_to_the_end

Report = Callable[[str], None]
SPLITS = ("train", "val", "test")
PREFIX = "net"  # of snapshots and logs in the folder of a training


@dataclass(frozen=True)
class Material:
    """What the systems learn from, below one folder.

    - ``<split>.json`` (train, val, test): clips with sentences, and their roles as recognised,
      labels and probabilities;
    - ``features.h5``: a dataset (frames, numbers) for each clip;
    - ``streams/<kind>``: what ``System.prepare`` makes of them.

    Args:
        folder: the folder; its path has no blanks.
    """

    folder: Path

    def roles_file(self, split: str) -> Path:
        """Return the file of a split."""
        return self.folder / f"{split}.json"

    def roles(self, split: str) -> Roles:
        """Return the clips of a split."""
        return read_roles(self.roles_file(split))

    @property
    def features(self) -> Path:
        """The file of the features of frames."""
        return self.folder / "features.h5"

    def streams(self, kind: str) -> Path:
        """Return the folder of the streams and nets of a kind of system."""
        return self.folder / "streams" / kind


@dataclass(frozen=True)
class Training:
    """How a system is trained.

    Args:
        seed: of everything that is drawn.
        iterations: replaces ``max_iter`` of the solver; rates that fall in steps fall as often.
        settings: of the nets.
        console: shows the training on a terminal.
        report: takes lines of progress.
    """

    seed: int = 1
    iterations: int | None = None
    settings: Settings = field(default_factory=Settings)
    console: Console | None = None
    report: Report = lambda line: None

    def set(self, definition: SolverDef, folder: Path) -> Path:
        """Set a solver up for this training; return where its weights will be.

        Args:
            definition: the solver, which then tests nothing.
            folder: of weights and log.
        """
        param = definition.param
        if self.iterations is not None:
            param.stepsize = max(1, param.stepsize * self.iterations // param.max_iter)
            param.max_iter = self.iterations
        param.random_seed, param.snapshot_prefix = self.seed, str(folder / PREFIX)
        for name in ("test_iter", "test_state", "test_interval"):
            param.ClearField(name)
        return Path(set_paths(param.snapshot_prefix, param.max_iter, hdf5=False).weights)

    def run(self, definition: SolverDef, folder: Path) -> Path:
        """Train unless it is done already; return the weights.

        Raises:
            CaffeError: the training failed.
            KeyboardInterrupt: it was stopped; the same call goes on there.
        """
        weights = self.set(definition, folder)
        if not weights.exists():
            train_to_the_end(definition, self.settings, self.console)
        return weights
