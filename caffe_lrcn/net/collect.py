"""What passes do about errors: stop at the first, or report it and go on with what is left."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from ..errors import CaffeError

if TYPE_CHECKING:
    from .build import Node
    from .connect import Vertex

OnError = Callable[[CaffeError], None]
Shape = tuple[int, ...]


def fail(error: CaffeError) -> NoReturn:
    """Raise ``error``: what a pass does unless it is told otherwise."""
    raise error


class Collector:
    """Takes the errors of all passes over a net, and says what is known in spite of them.

    What depends on a layer that failed is unknown: it is not set up, so it causes no error.
    ``errors`` holds each error once, although several passes may see it.
    """

    def __init__(self) -> None:
        self.errors: list[CaffeError] = []

    def report(self, error: CaffeError) -> None:
        """Keep an error of a pass."""
        if all((error.where, error.message) != (known.where, known.message)
               for known in self.errors):
            self.errors.append(error)

    def skips(self, vertex: Vertex) -> bool:
        """Tell whether a layer is not to be set up although its bottoms are known."""
        return False

    def failed(self, vertex: Vertex, error: CaffeError) -> None:
        """Keep an error that a layer raised when it was set up."""
        error.layer = error.layer or vertex.definition.param.name
        error.where = error.where or vertex.definition.place.at()
        self.report(error)

    def top_shapes(self, vertex: Vertex, node: Node | None) -> Sequence[Shape | None]:
        """Return the shapes of a layer's tops, None where one is unknown.

        Args:
            vertex: the layer in the graph.
            node: the layer with its blobs; None if it was not set up.
        """
        return [blob.shape for blob in node.top] if node else [None] * len(vertex.tops)
