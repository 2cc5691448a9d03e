"""What a steady training step allocates."""
from __future__ import annotations

import tracemalloc
from collections.abc import Callable

from caffe_lrcn.backends.scratch import small_buffers

#: Bytes: 16 KiB of random words, or four operands in buffers of NumPy's iterators, and Python's
#: own objects. The tests' blobs are larger.
LIMIT = 32_000


def steady_peak(step: Callable[[], object]) -> int:
    """Return how many bytes, at most, a steady step has allocated at once."""
    with small_buffers():
        for _ in range(3):
            step()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            step()
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
