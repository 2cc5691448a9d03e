"""The error that says that training has run away."""
from __future__ import annotations

from ..errors import DivergedError
from ..net.net import Net


def diverged(net: Net, iteration: int, what: str, last_snapshot: str | None) -> DivergedError:
    """Return the error: names iteration, first layer and blob that went wrong, and what to do."""
    message = f"iteration {iteration}: {what}"
    bad, advice = net.first_bad_blob(), "Lower base_lr, or set clip_gradients"
    if bad:
        if not net.bottom_names[bad[0]] and bad[1] in net.top_names[bad[0]]:
            advice = "The data that this layer reads hold such values themselves"
        message += f"; the first bad values are in layer '{bad[0]}', blob '{bad[1]}' ({bad[2]})"
    kept = (f"The last good snapshot is {last_snapshot}" if last_snapshot
            else "No snapshot was taken in this run")
    return DivergedError(message, remedy=f"{kept}. {advice}.")
