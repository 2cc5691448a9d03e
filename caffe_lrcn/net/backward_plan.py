"""Sixth pass: which layers and bottoms need a gradient.

Source: Caffe's net initialisation (``propagate_down``, ``force_backward``, layers under a loss).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import PrototxtError
from ..layer_types import Layer
from .connect import Graph, Vertex


@dataclass(frozen=True)
class BackwardPlan:
    """For each layer: whether its backward pass runs, and which bottoms and parameters get one."""

    layers: tuple[bool, ...]
    bottoms: tuple[tuple[bool, ...], ...]
    params: tuple[tuple[bool, ...], ...]


def plan_backward(graph: Graph, layers: Sequence[Layer], rates: Sequence[Sequence[float]],
                  force: bool = False, strict: bool = False) -> BackwardPlan:
    """Return who needs a gradient.

    Args:
        graph: the connected graph.
        layers: the layers, for ``allow_force_backward``.
        rates: for each layer the learning rate multipliers of its parameters.
        force: the net's ``force_backward``.
        strict: leave out a loss that only layers without a loss above them read, as Caffe does.

    Raises:
        PrototxtError: ``propagate_down`` is not given once per bottom.
    """
    blob_needs = [False] * len(graph.blob_names)
    needs: list[bool] = []
    bottoms: list[list[bool]] = []
    for vertex, layer_rates in zip(graph.vertices, rates, strict=True):
        need = any(blob_needs[blob] for blob in vertex.bottoms) or any(layer_rates)
        bottoms.append(_wanted_bottoms(vertex, blob_needs))
        needs.append(need)
        for blob in vertex.tops:
            blob_needs[blob] = blob_needs[blob] or need
    _prune(graph, needs, bottoms, strict)
    params = [[rate != 0 for rate in layer_rates] for layer_rates in rates]
    if force:
        for index, layer in enumerate(layers):
            needs[index] = True
            bottoms[index] = [need or layer.allow_force_backward(position)
                              for position, need in enumerate(bottoms[index])]
            params[index] = [True] * len(params[index])
    return BackwardPlan(tuple(needs), tuple(map(tuple, bottoms)), tuple(map(tuple, params)))


def _wanted_bottoms(vertex: Vertex, blob_needs: Sequence[bool]) -> list[bool]:
    given = vertex.definition.param.propagate_down
    if not given:
        return [blob_needs[blob] for blob in vertex.bottoms]
    if len(given) != len(vertex.bottoms):
        raise PrototxtError("propagate_down must be given once per bottom, or not at all",
                            where=vertex.definition.place.at("propagate_down", 0),
                            layer=vertex.definition.param.name, got=len(given),
                            wanted=len(vertex.bottoms))
    return list(given)


def _prune(graph: Graph, needs: list[bool], bottoms: list[list[bool]], strict: bool) -> None:
    """Drop layers that no loss depends on, and those whose tops nobody wants a gradient for."""
    under_loss: set[int] = set()
    unwanted: set[int] = set()
    for index in range(len(graph.vertices) - 1, -1, -1):
        vertex = graph.vertices[index]
        contributes = any(weight or blob in under_loss for blob, weight in
                          zip(vertex.tops, vertex.loss_weights, strict=True))
        if needs[index] and all(blob in unwanted and (strict or not weight) for blob, weight in
                                zip(vertex.tops, vertex.loss_weights, strict=True)):
            needs[index] = False
            bottoms[index] = [False] * len(vertex.bottoms)
        if not contributes:
            needs[index] = False
            bottoms[index] = [False] * len(vertex.bottoms)
        for position, blob in enumerate(vertex.bottoms):
            if contributes:
                under_loss.add(blob)
            if not bottoms[index][position]:
                unwanted.add(blob)
