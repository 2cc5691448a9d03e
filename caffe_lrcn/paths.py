"""Where a path that a file names is found."""
from __future__ import annotations

import os


def resolve(path: str, *beside: str | None) -> str:
    """Return the path itself if it exists, else one beside a file that names it.

    A relative path counts from the working directory, as in Caffe; where nothing is there, the
    folder of each file in ``beside`` is tried in turn. A path that is found nowhere comes back
    unchanged, so that the error about it shows what the user wrote.
    """
    if os.path.isabs(path) or os.path.exists(path):
        return path
    for file in beside:
        if file is None:
            continue
        candidate = os.path.join(os.path.dirname(file), path)
        if os.path.exists(candidate):
            return candidate
    return path
