"""What a steady training step allocates."""
from __future__ import annotations

from collections.abc import Callable

from caffe_lrcn.backends.scratch import SmallBuffers
from tests.harness.memory import peak_memory

#: Bytes: 16 KiB of random words, or four operands in buffers of NumPy's iterators, and Python's
#: own objects. The tests' blobs are larger.
LIMIT = 32_000


def steady_peak(step: Callable[[], object]) -> int:
    """Return how many bytes, at most, a steady step has allocated at once."""
    with SmallBuffers():
        for _ in range(3):
            step()
        return peak_memory(step)
