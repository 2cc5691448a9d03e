"""Fourth pass: which blobs live in the same memory. The only place where aliases are decided."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .connect import Graph, Vertex


@dataclass(frozen=True)
class Sharing:
    """Blob ``blob`` keeps its values (if ``diff``, also its gradient) in ``source``'s memory."""

    blob: int
    source: int
    diff: bool


def plan_storage(graph: Graph) -> dict[int, Sharing]:
    """Return, for each blob that owns no memory for its values, whose memory it uses.

    In-place layers need no entry: their top and bottom are one blob. Entries come in execution
    order, so a source that shares memory itself has been settled before.
    """
    plan: dict[int, Sharing] = {}
    for vertex in graph.vertices:
        for alias in vertex.cls.aliases(vertex.definition.param):
            blob, source, diff = vertex.tops[alias.top], vertex.bottoms[alias.bottom], alias.diff
            if blob == source:
                continue
            plan[blob] = Sharing(blob, source, diff)
    return plan


def diff_owners(graph: Graph) -> list[int]:
    """Return for each blob the number of the blob in whose memory its gradient is kept."""
    owner = list(range(len(graph.blob_names)))
    for sharing in plan_storage(graph).values():
        if sharing.diff:
            owner[sharing.blob] = owner[sharing.source]
    return owner


@dataclass(frozen=True)
class Overwrite:
    """Layer ``writer`` changes in place the memory in which ``reader`` expects ``blob`` as it was.

    It does so before the reader's forward pass, or, if ``backward``, before its backward pass.
    A Parameter layer "reads" its parameter, which is its top, again in the next pass.
    """

    writer: Vertex
    reader: Vertex
    blob: str
    backward: bool = False


def find_overwrites(graph: Graph) -> list[Overwrite]:
    """Return where working in place changes values that another layer still needs.

    Flatten, Reshape and their like copy nothing, so a layer in place on their top also changes
    their bottom, and every blob that a Split made of that: for layers that read it later, and for
    those that compute their gradient from it. And some gradients, such as Sigmoid's, are computed
    from the top.
    """
    owner, made = list(range(len(graph.blob_names))), dict[int, int]()
    for sharing in plan_storage(graph).values():
        owner[sharing.blob] = owner[sharing.source]
    needs, found = _Needs(owner), list[Overwrite]()
    last: dict[int, dict[int, tuple[int, Vertex]]] = {}  # memory, blob -> who wrote in place last
    for number, vertex in enumerate(graph.vertices):
        for blob in vertex.bottoms:
            for changed, (when, writer) in reversed(last.get(owner[blob], {}).items()):
                if when <= made[blob]:
                    break  # the others wrote earlier still
                if changed != blob:
                    found.append(Overwrite(writer, vertex, graph.blob_names[blob]))
        for blob in vertex.tops:
            made.setdefault(blob, number)
            if blob in vertex.bottoms:
                writers = last.setdefault(owner[blob], {})
                writers.pop(blob, None)  # the latest stands at the end
                writers[blob] = number, vertex
                found += [Overwrite(vertex, reader, graph.blob_names[read], backward)
                          for reader, read, backward in needs.spoilt_by(vertex, owner[blob])]
        needs.note(vertex)
    return found


class _Needs:
    """Who will read a memory once more after the layers that follow, and finds it changed."""

    def __init__(self, owner: list[int]) -> None:
        self._owner = owner
        # By memory: (reader, blob, whether in its backward pass). ReLUs look at signs alone.
        self._values: dict[int, list[tuple[Vertex, int, bool]]] = {}
        self._signs: dict[int, list[tuple[Vertex, int, bool]]] = {}

    def note(self, vertex: Vertex) -> None:
        """Keep what a layer will read again."""
        param = vertex.definition.param
        if vertex.cls.reads_top_again(param):
            self._add(self._signs if param.type == "ReLU" else self._values, vertex, vertex.tops)
        if vertex.cls.reads_bottom_again(param):
            self._add(self._values, vertex,
                      [blob for blob in vertex.bottoms if blob not in vertex.tops])
        if param.type == "Parameter":
            self._add(self._values, vertex, vertex.tops, backward=False)

    def spoilt_by(self, writer: Vertex, memory: int) -> list[tuple[Vertex, int, bool]]:
        """Return, once, whose values a layer in place changes."""
        param = writer.definition.param
        keeps_signs = (param.type in ("Dropout", "LRN", "TanH")
                       or param.type == "ReLU" and param.relu_param.negative_slope >= 0)
        return self._values.pop(memory, []) + (
            [] if keeps_signs else self._signs.pop(memory, []))

    def _add(self, kept: dict[int, list[tuple[Vertex, int, bool]]], vertex: Vertex,
             blobs: Sequence[int], backward: bool = True) -> None:
        for blob in blobs:
            kept.setdefault(self._owner[blob], []).append((vertex, blob, backward))
