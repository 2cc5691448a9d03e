"""Python's search for unreachable objects, which is to wait while a hundred thousand are made."""
from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collection() -> Iterator[None]:
    """Pause the search for cycles of unreachable objects; it is up to half the time otherwise.

    For work that makes many objects which stay, such as reading a definition or building a net.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
