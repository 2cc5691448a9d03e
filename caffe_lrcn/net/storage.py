"""Fourth pass: which blobs live in the same memory. The only place where aliases are decided."""
from __future__ import annotations

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


_Use = tuple[int, Vertex, int]  # number of a vertex, the vertex, a blob that it uses


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
    their bottom, and every blob that a Split made of that. And some gradients, such as Sigmoid's,
    are computed from the top.
    """
    owner = list(range(len(graph.blob_names)))
    for sharing in plan_storage(graph).values():
        owner[sharing.blob] = owner[sharing.source]
    made = {blob: number for number, vertex in reversed(list(enumerate(graph.vertices)))
            for blob in vertex.tops}
    members: dict[int, list[int]] = {}
    for blob, owned in enumerate(owner):
        members.setdefault(owned, []).append(blob)
    again: dict[int, list[_Use]] = {}
    parameters: dict[int, list[_Use]] = {}
    readers: dict[int, list[_Use]] = {}
    for number, vertex in enumerate(graph.vertices):
        param = vertex.definition.param
        for blob in vertex.bottoms:
            readers.setdefault(blob, []).append((number, vertex, blob))
        for uses, used in ((again, vertex.cls.reads_top_again(param)),
                           (parameters, param.type == "Parameter")):
            for blob in vertex.tops if used else ():
                uses.setdefault(owner[blob], []).append((number, vertex, blob))
    found = []
    for number, writer in enumerate(graph.vertices):
        changed = sorted({owner[blob] for blob in writer.tops if blob in writer.bottoms})
        found += [Overwrite(writer, reader, graph.blob_names[blob], backward=True)
                  for earlier, reader, blob in _uses(again, changed) if earlier < number]
        found += [Overwrite(writer, reader, graph.blob_names[blob])
                  for earlier, reader, blob in _uses(parameters, changed) if earlier < number]
        found += [Overwrite(writer, reader, graph.blob_names[blob])
                  for later, reader, blob in _uses(
                      readers, [blob for owned in changed for blob in members[owned]
                                if made[blob] < number and blob not in writer.tops])
                  if later > number]
    return found


def _uses(by_blob: dict[int, list[_Use]], blobs: list[int]) -> list[_Use]:
    """Return the uses of some blobs, in the order of execution."""
    return sorted((use for blob in blobs for use in by_blob.get(blob, ())),
                  key=lambda use: use[0])
