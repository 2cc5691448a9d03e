"""Pictures of a square, a disc or a cross on a noisy ground: data for the examples."""
from __future__ import annotations

import numpy as np

NAMES = ("square", "disc", "cross")
SIZE = 28


def draw(kind: int, rng: np.random.Generator) -> np.ndarray:
    """Return a (28, 28) picture in [0, 1] of shape number ``kind`` at a random place."""
    radius = rng.integers(5, 9)
    y, x = rng.integers(radius, SIZE - radius, 2)
    rows, columns = np.abs(np.mgrid[:SIZE, :SIZE] - np.array([y, x])[:, None, None])
    inside = (np.maximum(rows, columns) <= radius,
              rows ** 2 + columns ** 2 <= radius ** 2,
              (np.minimum(rows, columns) <= 1) & (np.maximum(rows, columns) <= radius))[kind]
    return np.clip(0.8 * inside + rng.normal(0.1, 0.08, (SIZE, SIZE)), 0, 1)


def make_shapes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (count, 1, 28, 28) pictures and (count,) labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(NAMES), count)
    pictures = np.stack([draw(label, rng) for label in labels])
    return pictures[:, np.newaxis].astype(np.float32), labels.astype(np.float32)
