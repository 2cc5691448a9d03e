"""What passes do about errors: stop at the first, or report it and go on with what is left."""
from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from ..errors import CaffeError
from ..proto.text import LayerDef

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
        self._known: set[tuple[object, str]] = set()

    def report(self, error: CaffeError) -> None:
        """Keep an error of a pass."""
        key = error.where, error.message
        if key not in self._known:
            self._known.add(key)
            self.errors.append(error)

    def skips(self, layer: LayerDef) -> bool:
        """Tell whether a layer is not to be set up although its bottoms are known."""
        return False

    def failed(self, layer: LayerDef, error: CaffeError) -> list[Shape | None]:
        """Keep an error of a layer's set-up; return the tops' shapes as far as they are known."""
        error.layer = error.layer or layer.param.name
        error.where = error.where or layer.place.at()
        self.report(error)
        return []

    def settle(self, layer: LayerDef, tops: list[Shape | None]) -> list[Shape | None]:
        """Return the shapes of a layer's tops to go on with, given those that were found."""
        return tops
