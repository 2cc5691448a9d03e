"""The state that recurrent layers carry from one forward pass to the next."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ...backends import Backend
from ...blob import Blob
from ...errors import CaffeError, SnapshotError


class CarriedState:
    """Clears, moves, saves and restores the state of a ``Recurrent`` layer."""

    #: Names of the carried states; the first is the hidden state ``h``.
    state_names: ClassVar[tuple[str, ...]]
    #: Set by callers who know that x_static is what it was (rows moved by ``reorder`` apart): its
    #: product with the weights is then not computed again.
    static_is_known = False
    # Set by the layer's setup: the states (N, D), the product with x_static (N, gates * D), the
    # number of states that are bottoms and tops instead, and D.
    carried: dict[str, Blob]
    static: Blob
    has_static: bool
    exposed: int
    units: int
    backend: Backend
    error: Callable[..., CaffeError]

    def reset(self) -> None:
        """Forget the carried state: the next forward pass starts from zero."""
        for blob in self.carried.values():
            blob.data.fill(0)

    def reorder(self, rows: Any) -> None:
        """Let stream n go on where stream ``rows[n]`` of the last forward pass stopped.

        The product with x_static moves along; the bottoms' rows are the caller's business.

        Args:
            rows: (N',) indices into the old N streams, as an array of the backend; the next
                forward pass takes N' streams. A stream may occur any number of times.
        """
        moved = [*self.carried.values(), *([self.static] if self.has_static else [])]
        for blob in moved:
            chosen = blob.data[rows]
            blob.reshape(*chosen.shape)
            blob.data[...] = chosen

    def state(self) -> dict[str, Any]:
        """Return the carried states as arrays (N, D) by name; nothing if they are exposed."""
        if self.exposed:
            return {}
        return {name: np.array(self.backend.download(blob.data))
                for name, blob in self.carried.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what ``state`` returned; its N counts as the N of the last forward pass.

        Raises:
            SnapshotError: the states are missing, or of another number of units.
        """
        for name in () if self.exposed else self.state_names:
            shape = np.shape(state.get(name, ()))
            if len(shape) != 2 or shape[1] != self.units:
                raise self.error(SnapshotError, f"the saved state '{name}' does not fit", got=shape,
                                 wanted=f"(N, {self.units})",
                                 remedy="Resume with the net that wrote the snapshot.")
            self.carried[name].reshape(*shape)
            self.carried[name].host_data[...] = state[name]
