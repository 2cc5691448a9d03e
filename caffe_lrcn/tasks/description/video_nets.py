"""Copies of the nets of S2VT and of mean pooling with the numbers and paths of a data set."""
from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ...language.vocabulary import Vocabulary
from .sized_nets import SIZES, copy_definition
from .video_recipe import VideoRecipe

_STREAMS = re.compile(r"data/(?:msvd|clips)/buffer_\d+_[a-z0-9]+_\d+/(\w+)_batches")


def net_files(layout: str) -> tuple[str, ...]:
    """Return the names of the net, its deploy net and its solver."""
    return (f"{layout}.prototxt", f"{layout}.words_to_preds.deploy.prototxt",
            f"{layout}_solver.prototxt")


def write_video_nets(recipe: VideoRecipe, size: str, width: int, vocabulary: Vocabulary,
                     sentences: Mapping[str, int]) -> None:
    """Write definitions and a solver for a data set to its folder.

    Args:
        recipe: of its streams.
        size: which of ``sized_nets.SIZES``.
        width: numbers of a frame.
        vocabulary: of the words.
        sentences: split -> their number; without ``val`` the solver tests nothing.

    Raises:
        DataError: a file cannot be written.
    """
    numbers = {"words": len(vocabulary), "features": width, "streams": recipe.streams,
               "steps": recipe.timesteps,
               "tests": max(-(-sentences.get("val", 0) // recipe.streams), 1)}
    for name in net_files(recipe.layout):
        copy_definition(recipe, os.path.join(SIZES[size][0], name), numbers, _STREAMS,
                        "val" in sentences)
