"""From layers to boxes and arrows.

A blob is a node of its own, or, in the compact form, only where its name tells something. Layers
that work in place are cells of the box whose blob they change.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..net.collect import Shape
from ..printable import printable
from ..proto import caffe_pb2
from .labels import (
    BLOB_COLOR,
    IN_PLACE_COLOR,
    bottom_role,
    color_of,
    layer_lines,
    outputs_of,
)


@dataclass(frozen=True)
class Cell:
    """Lines of text on a colour."""

    lines: tuple[str, ...]
    color: str


@dataclass
class Node:
    """A box of cells, one under the other, or an octagon with a blob's name."""

    cells: list[Cell]
    is_blob: bool = False


@dataclass(frozen=True)
class Edge:
    """An arrow between nodes, by number; ``label`` stands at its tail, ``role`` at its head."""

    source: int
    target: int
    label: str = ""
    role: str = ""


@dataclass
class Graph:
    """Nodes and edges, every edge from an earlier node to a later one."""

    name: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


def build_graph(name: str, layers: Sequence[caffe_pb2.LayerParameter],
                shapes: Sequence[Sequence[Shape | None]] | None = None, *, compact: bool = False,
                label_edges: bool = True, display_lrm: bool = False) -> Graph:
    """Return the boxes and arrows of a net.

    Args:
        name: of the net.
        layers: those to draw, in order.
        shapes: of each layer's tops, as far as they are known. A shape stands below its blob's
            name, or in the box of the layer if the blob has no node of its own.
        compact: leave out blobs that are called like the layer that makes them.
        label_edges: write channels and batch sizes at arrows.
        display_lrm: write learning rate multipliers into the boxes.
    """
    builder = _Builder(name, layers, compact, label_edges, display_lrm)
    for layer, tops in zip(layers, shapes or [()] * len(layers), strict=True):
        builder.add(layer, dict(zip(layer.top, tops, strict=False)))
    return builder.graph


class _Builder:
    def __init__(self, name: str, layers: Sequence[caffe_pb2.LayerParameter], compact: bool,
                 label_edges: bool, display_lrm: bool) -> None:
        self.graph = Graph(name)
        self._compact, self._label_edges, self._lrm = compact, label_edges, display_lrm
        self._readers = Counter(blob for layer in layers if not _is_in_place(layer)
                                for blob in layer.bottom)
        # Blob -> the node that arrows start from, and the text at their tails.
        self._tails: dict[str, tuple[int, str]] = {}
        # Blob -> the node whose box takes the layers that change the blob in place.
        self._stacks: dict[str, Node] = {}

    def add(self, layer: caffe_pb2.LayerParameter, shapes: dict[str, Shape | None]) -> None:
        """Add a layer, the arrows to it, and its tops with their shapes."""
        lines = tuple(map(printable, layer_lines(layer, self._lrm)))
        in_place = _is_in_place(layer)
        if in_place and layer.bottom[0] in self._stacks:
            self._stacks[layer.bottom[0]].cells.append(Cell(lines, IN_PLACE_COLOR))
            return
        node = Node([Cell(lines, IN_PLACE_COLOR if in_place else color_of(layer.type))])
        number = self._append(node)
        for position, blob in enumerate(layer.bottom):
            tail, label = self._tails.get(blob) or (self._blob(blob), "")
            self.graph.edges.append(Edge(tail, number, label, bottom_role(layer, position)))
        for blob in layer.top:
            self._make(layer, blob, number, shapes.get(blob))
        if len(layer.top) == 1:
            self._stacks[layer.top[0]] = node

    def _make(self, layer: caffe_pb2.LayerParameter, blob: str, number: int,
              shape: Shape | None) -> None:
        """Let arrows for this blob start from a layer's node, or from a node of the blob's."""
        label = outputs_of(layer) if self._label_edges and shape is None else ""
        lines = () if shape is None else (" x ".join(map(str, shape)) or "1 number",)
        self._stacks.pop(blob, None)
        hidden = self._compact and len(layer.top) == 1 and (
            blob == layer.name or not self._readers[blob])
        if hidden:
            self._tails[blob] = (number, label)
            last = self.graph.nodes[number].cells[-1]
            self.graph.nodes[number].cells[-1] = Cell((*last.lines, *lines), last.color)
        else:
            octagon = self._blob(blob, lines)
            self.graph.edges.append(Edge(number, octagon, label))

    def _blob(self, name: str, lines: tuple[str, ...] = ()) -> int:
        number = self._append(Node([Cell((printable(name), *lines), BLOB_COLOR)], is_blob=True))
        self._tails[name] = (number, "")
        return number

    def _append(self, node: Node) -> int:
        self.graph.nodes.append(node)
        return len(self.graph.nodes) - 1


def _is_in_place(layer: caffe_pb2.LayerParameter) -> bool:
    return len(layer.bottom) == len(layer.top) == 1 and layer.bottom[0] == layer.top[0]
