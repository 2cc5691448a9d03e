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
    read_again = [(number, vertex, blob) for number, vertex in enumerate(graph.vertices)
                  if vertex.cls.reads_top_again(vertex.definition.param) for blob in vertex.tops]
    found = []
    for number, writer in enumerate(graph.vertices):
        changed = {owner[blob] for blob in writer.tops if blob in writer.bottoms}
        if not changed:
            continue
        found += [Overwrite(writer, reader, graph.blob_names[blob], backward=True)
                  for earlier, reader, blob in read_again
                  if earlier < number and owner[blob] in changed]
        found += [Overwrite(writer, reader, graph.blob_names[blob])
                  for reader in graph.vertices[:number] for blob in reader.tops
                  if reader.definition.param.type == "Parameter" and owner[blob] in changed]
        found += [Overwrite(writer, reader, graph.blob_names[blob])
                  for reader in graph.vertices[number + 1:] for blob in reader.bottoms
                  if owner[blob] in changed and made[blob] < number and blob not in writer.tops]
    return found
