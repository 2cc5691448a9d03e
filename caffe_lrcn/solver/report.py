"""The outputs of a net as numbers, means of them, and the log lines that show them.

Source: Caffe's Solver (Step, Test); its log lines are read by parse_log.py.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..net.net import Net


@dataclass(frozen=True)
class Output:
    """One element of one output blob: the blob's name, its loss weight, the element's value."""

    name: str
    weight: float
    value: float

    def __str__(self) -> str:
        text = f"{self.name} = {self.value:g}"
        if self.weight:
            text += f" (* {self.weight:g} = {self.weight * self.value:g} loss)"
        return text


def read_outputs(net: Net) -> list[Output]:
    """Return every element of every output blob, in the order in which Caffe numbers them."""
    return [Output(name, net.blob_loss_weights[name], float(value))
            for name in net.outputs for value in net.blobs[name].read_data().flat]


def output_lines(kind: str, outputs: list[Output]) -> list[str]:
    """Return the log lines of outputs; ``kind`` is Train or Test."""
    return [f"    {kind} net output #{index}: {output}" for index, output in enumerate(outputs)]


def named_values(outputs: list[Output]) -> dict[str, float]:
    """Return values by name: ``top``, or ``top[0]``, ``top[1]`` … for a top of several elements."""
    values: dict[str, list[float]] = {}
    for output in outputs:
        values.setdefault(output.name, []).append(output.value)
    return {name: value for top, row in values.items()
            for name, value in zip(element_names(top, len(row)), row, strict=True)}


def element_names(top: str, count: int) -> list[str]:
    """Return the names of the elements of a top."""
    return [top] if count == 1 else [f"{top}[{index}]" for index in range(count)]


def counted(count: int, noun: str, plural: str = "s") -> str:
    """Return ``1 test``, ``2 tests``."""
    return f"{count} {noun}{plural if count != 1 else ''}"


class MeanOutputs:
    """Means of a net's outputs and of its loss over several forward passes."""

    def __init__(self) -> None:
        self._first: list[Output] = []
        self._sums = np.zeros(0)
        self._loss = 0.0
        self._passes = 0

    def add(self, outputs: list[Output], loss: float) -> None:
        """Take in one pass; elements beyond those of the first pass are left out."""
        if not self._passes:
            self._first, self._sums = outputs, np.zeros(len(outputs))
        count = min(len(self._sums), len(outputs))
        self._sums[:count] += [output.value for output in outputs[:count]]
        self._loss += loss
        self._passes += 1

    @property
    def loss(self) -> float:
        """Mean weighted loss of a pass."""
        return self._loss / max(1, self._passes)

    @property
    def outputs(self) -> list[Output]:
        """The outputs with their mean values."""
        means = self._sums / max(1, self._passes)
        return [replace(output, value=float(mean))
                for output, mean in zip(self._first, means, strict=True)]
