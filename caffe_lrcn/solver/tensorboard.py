"""TensorBoard event files of a training."""
from __future__ import annotations

import os
import time
from typing import Any

from ..errors import SnapshotError, UsageError
from .report import Output, named_values


def default_folder(prefix: str) -> str:
    """Return where event files go if no folder is named: beside the snapshots."""
    return f"{prefix}_tensorboard"


class EventFile:
    """Writes the rows of the CSV log as scalars: ``loss/train``, ``lr``, ``accuracy/test_0`` ….

    The smoothed loss of training is ``mean_loss/train``. A run that goes on from a snapshot makes
    TensorBoard forget what a former run wrote after it.

    Args:
        folder: it is made if it is missing.
        first: the iteration at which this run begins.

    Raises:
        UsageError: tensorboardX is not installed.
        SnapshotError: the folder cannot be written.
    """

    def __init__(self, folder: str, first: int) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise UsageError("--tensorboard needs tensorboardX, which is not installed",
                             remedy="Install it with: pip install tensorboardX") from None
        try:
            os.makedirs(folder, exist_ok=True)
            # Names count seconds: a run that begins in the same one must not replace the file.
            self._writer: Any = SummaryWriter(folder, purge_step=first, flush_secs=10,
                                              filename_suffix=f".{time.time_ns() % 10**9:09d}")
        except OSError as error:
            raise SnapshotError(f"the event file cannot be written: {error.strerror or error}",
                                where=folder, remedy="Give --tensorboard another folder") from None

    def write(self, iteration: int, net: str, rate: float, loss: float,
              outputs: list[Output]) -> None:
        """Add the values of a row."""
        net = net.replace(" ", "_")  # as TensorBoard wants its names
        values = {f"mean_loss/{net}": loss}
        values |= {f"{name}/{net}": value for name, value in named_values(outputs).items()}
        if net == "train":
            values["lr"] = rate
        for name, value in values.items():
            self._writer.add_scalar(name, value, iteration)

    def saving(self) -> None:
        """Hand over what is there, so that it is not older than the snapshot."""
        self._writer.flush()

    def saved(self, iteration: int, path: str) -> None:
        """Do nothing: the rows are in the file already."""

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
