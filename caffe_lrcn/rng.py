"""Counter-based random numbers: the same bits on every device and for any number of workers.

Random numbers are named by a seed and a key (a layer's name, a record's index, an iteration); they
share nothing with those of another name, and nothing but the key has to be remembered. The
generator is Philox 4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"), in
NumPy's implementation on the host and in ``backends/cuda/common.cuh`` on a GPU.
"""
from __future__ import annotations

import hashlib
import secrets

import numpy as np

_WORD = 0xFFFF_FFFF_FFFF_FFFF


def fresh_seed() -> int:
    """Return a seed from the operating system, for runs without ``random_seed``."""
    return secrets.randbits(31)


def philox_key(seed: int, *name: object) -> tuple[int, int]:
    """Return the two 64-bit key words of the random numbers ``name`` under ``seed``."""
    digest = hashlib.blake2b(repr(name).encode(), digest_size=8).digest()
    return seed & _WORD, int.from_bytes(digest, "little")


def generator(seed: int, *name: object, call: int = 0) -> np.random.Generator:
    """Return a NumPy generator at the start of call number ``call`` of the numbers ``name``."""
    key = np.array(philox_key(seed, *name), dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, call & _WORD, 0]))


def random_words(key: tuple[int, int], call: int, count: int) -> np.ndarray:
    """Return ``count`` uint32 words of call ``call`` of the numbers with ``key``.

    Word ``i`` is half ``i % 2`` (low half first) of the 64-bit output ``i // 2``; output ``j`` is
    lane ``j % 4`` of the Philox block with counter ``(j // 4 + 1, 0, call, 0)``.
    """
    bits = np.random.Philox(key=np.array(key, dtype=np.uint64), counter=[0, 0, call & _WORD, 0])
    return bits.random_raw((count + 1) // 2).astype("<u8", copy=False).view("<u4")[:count]
