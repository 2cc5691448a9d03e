"""Seventh pass: whether the gradient memory that holds a loss weight is written to, and by whom."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .backward_plan import BackwardPlan
from .connect import Graph
from .storage import diff_owners


@dataclass(frozen=True)
class LossMemory:
    """For each layer and each of its tops, what becomes of a loss weight in the top's gradient.

    Args:
        overwritten: a later layer writes its gradient over it, so that the weight has to be added
            again before the layer's backward pass.
        spent: only this layer or an earlier one writes there (in place, or through an alias), so
            that the top's weight, be it 0, has to be written anew in each forward pass.
    """

    overwritten: tuple[tuple[bool, ...], ...]
    spent: tuple[tuple[bool, ...], ...]


def plan_loss_memory(graph: Graph, plan: BackwardPlan) -> LossMemory:
    """Return who writes over the loss weights of a graph, given which gradients are wanted."""
    memory = diff_owners(graph)
    tops = [[memory[blob] for blob in vertex.tops] for vertex in graph.vertices]
    written = [{memory[blob] for blob, wanted in zip(vertex.bottoms, needs, strict=True)
                if wanted and runs} for vertex, needs, runs in
               zip(graph.vertices, plan.bottoms, plan.layers, strict=True)]
    overwritten = _found_before(tops[::-1], written[::-1])[::-1]
    weighted, earlier = set[int](), set[int]()
    spent = []
    for vertex, own, writes, lost in zip(graph.vertices, tops, written, overwritten, strict=True):
        earlier |= writes
        weighted |= {at for at, weight in zip(own, vertex.loss_weights, strict=True) if weight}
        spent.append(tuple(at in earlier and at in weighted and not gone
                           for at, gone in zip(own, lost, strict=True)))
    return LossMemory(tuple(overwritten), tuple(spent))


def _found_before(tops: Sequence[Sequence[int]],
                  written: Sequence[set[int]]) -> list[tuple[bool, ...]]:
    """Tell for each top whether one of the entries of ``written`` before its layer's holds it."""
    seen, found = set[int](), []
    for own, writes in zip(tops, written, strict=True):
        found.append(tuple(at in seen for at in own))
        seen |= writes
    return found
