"""Pictures for tests to read."""
from __future__ import annotations

import numpy as np
from PIL import Image


def write_pictures(folder, sizes, names=None):
    """Write one random PNG per (height, width) and a list of them; return its path, the pixels.

    Labels are the picture's place in the list; pixels are (H, W, 3) in BGR order.
    """
    rng, pixels, lines = np.random.default_rng(5), [], []
    for index, (height, width) in enumerate(sizes):
        name = names[index] if names else f"{index}.png"
        pixels.append(rng.integers(0, 256, (height, width, 3), np.uint8))
        Image.fromarray(pixels[-1][:, :, ::-1].copy()).save(folder / name)
        lines.append(f"{name} {index}\n")
    (folder / "list.txt").write_text("".join(lines))
    return str(folder / "list.txt"), pixels
