"""Counter-based random numbers: the same bits on every device and for any number of workers.

Random numbers are named by a seed and a key (a layer's name, a record's index, an iteration); they
share nothing with those of another name, and nothing but the key has to be remembered. The
generator is Philox 4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"), in
NumPy's implementation on the host and in ``backends/cuda/common.cuh`` on a GPU.
"""
from __future__ import annotations

import hashlib
import secrets
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

_WORD = 0xFFFF_FFFF_FFFF_FFFF


def fresh_seed() -> int:
    """Return a seed from the operating system, for runs without ``random_seed``."""
    return secrets.randbits(31)


def philox_key(seed: int, *name: object) -> tuple[int, int]:
    """Return the two 64-bit key words of the random numbers ``name`` under ``seed``."""
    digest = hashlib.blake2b(repr(name).encode(), digest_size=8).digest()
    return seed & _WORD, int.from_bytes(digest, "little")


class _Key(ISeedSequence):
    """Hands its key to a Philox; one that is made with ``key=`` asks the system for entropy too."""

    def __init__(self, key: tuple[int, int]) -> None:
        self._key = key

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> np.ndarray:
        """Return the two words of the key, for which Philox asks."""
        return np.array(self._key, dtype)


def philox(key: tuple[int, int], call: int) -> np.random.Philox:
    """Return the generator at the start of call number ``call`` of the numbers with ``key``."""
    return np.random.Philox(_Key(key), counter=(call & _WORD) << 128)


def generator(seed: int, *name: object, call: int = 0) -> np.random.Generator:
    """Return a NumPy generator at the start of call number ``call`` of the numbers ``name``."""
    return np.random.Generator(philox(philox_key(seed, *name), call))


def random_words(key: tuple[int, int], call: int, count: int) -> np.ndarray:
    """Return ``count`` uint32 words of call ``call`` of the numbers with ``key``.

    Word ``i`` is half ``i % 2`` (low half first) of the 64-bit output ``i // 2``; output ``j`` is
    lane ``j % 4`` of the Philox block with counter ``(j // 4 + 1, 0, call, 0)``.
    """
    drawn = philox(key, call).random_raw((count + 1) // 2)
    return drawn.astype("<u8", copy=False).view("<u4")[:count]
