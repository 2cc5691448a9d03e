"""Fourth pass: which blobs live in the same memory. The only place where aliases are decided."""
from __future__ import annotations

from dataclasses import dataclass

from .connect import Graph


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
