"""The loss that is displayed: the mean over the last average_loss iterations.

Source: Caffe's Solver::UpdateSmoothedLoss.
"""
from __future__ import annotations

from typing import Any


class LossWindow:
    """A running mean until it is full, then the mean of the last ``size`` losses."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.clear()

    def clear(self) -> None:
        """Forget all losses."""
        self.losses: list[float] = []
        self.next = 0
        self.mean = 0.0

    def add(self, loss: float) -> None:
        """Take in the loss of one more iteration."""
        if len(self.losses) < self.size:
            count = len(self.losses)
            self.losses.append(loss)
            self.mean = (self.mean * count + loss) / (count + 1)
        else:
            self.mean += (loss - self.losses[self.next]) / self.size
            self.losses[self.next] = loss
            self.next = (self.next + 1) % self.size

    def state(self) -> dict[str, Any]:
        """Return what ``restore`` takes."""
        return {"losses": list(self.losses), "next": self.next, "mean": self.mean}

    def restore(self, state: dict[str, Any]) -> bool:
        """Take back a state; a window of another size starts empty. Tell whether it fitted."""
        losses = state["losses"]
        fits = len(losses) <= self.size and (state["next"] == 0 or len(losses) == self.size)
        self.clear()
        if fits:
            self.losses = list(losses)
            self.next, self.mean = state["next"], state["mean"]
        return fits
