"""Where a path that a file names is found."""
from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
#: Where ``prototxt/`` stands: inside an installed package, beside the package in a checkout.
_DEFINITIONS = (_PACKAGE, os.path.dirname(_PACKAGE))


def resolve(path: str, *beside: str | None) -> str:
    """Return the path itself if it exists, else one beside a file that names it.

    A relative path counts from the working directory, as in Caffe; where nothing is there, the
    folder of each file in ``beside`` is tried in turn, then the definitions that are installed with
    the package (``prototxt/...``). A path that is found nowhere comes back unchanged, so that the
    error about it shows what the user wrote.
    """
    if os.path.isabs(path) or os.path.exists(path):
        return path
    folders = [os.path.dirname(file) for file in beside if file is not None]
    if os.path.normpath(path).startswith("prototxt" + os.sep):
        folders += _DEFINITIONS
    for folder in folders:
        candidate = os.path.join(folder, path)
        if os.path.exists(candidate):
            return candidate
    return path


def stays_below(path: str) -> bool:
    """Tell whether a path that counts from a folder stays in it: not absolute, not up and out.

    What links point to does not matter: who made them could write there anyway.
    """
    return not os.path.isabs(path) and os.path.normpath(path).split(os.sep)[0] != os.pardir
