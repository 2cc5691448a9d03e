"""A net as prototxt and, layer by layer, as plain NumPy."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shape = tuple[int, ...]


@dataclass
class Step:
    """One layer; ``compute(*bottoms, *params)`` returns its top, or a tuple of them."""

    name: str
    bottoms: list[str]
    tops: list[str]
    compute: Callable[..., Any]


@dataclass
class Plan:
    """A net as text and as steps, and its inputs."""

    text: str = 'name: "random" force_backward: true\n'
    steps: list[Step] = field(default_factory=list)
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    consumed: set[str] = field(default_factory=set)

    def add_input(self, name: str, values: np.ndarray) -> None:
        dims = " ".join(f"dim: {size}" for size in values.shape)
        self.text += (f'layer {{ name: "{name}" type: "Input" top: "{name}" '
                      f'input_param {{ shape {{ {dims} }} }} }}\n')
        self.inputs[name], self.shapes[name] = values, values.shape

    def add(self, kind: str, bottoms: list[str], compute: Callable[..., Any], param: str = "",
            tops: int = 1, in_place: bool = False) -> list[str]:
        """Append a layer whose tops have the shapes that NumPy finds later."""
        name = f"{kind}{len(self.steps)}".lower()
        outs = bottoms[:1] if in_place else [f"{name}_{i}" for i in range(tops)]
        parts = [f'bottom: "{blob}"' for blob in bottoms] + [f'top: "{blob}"' for blob in outs]
        self.text += f'layer {{ name: "{name}" type: "{kind}" {" ".join(parts)} {param} }}\n'
        self.steps.append(Step(name, bottoms, outs, compute))
        self.consumed.update(bottoms)
        if in_place:
            self.consumed.discard(bottoms[0])
        return outs

    def outputs(self) -> list[str]:
        made = dict.fromkeys(blob for step in self.steps for blob in step.tops)
        return [blob for blob in made if blob not in self.consumed]

    def evaluate(self, inputs: dict[str, np.ndarray],
                 params: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
        """Run all steps; return every blob's last value."""
        blobs = dict(inputs)
        for step in self.steps:
            tops = step.compute(*[blobs[blob] for blob in step.bottoms],
                                *params.get(step.name, []))
            blobs.update(zip(step.tops, tops if isinstance(tops, tuple) else (tops,),
                             strict=True))
        return blobs
