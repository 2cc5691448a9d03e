"""What a data set of videos and sentences looks like on disk, and where a split of it goes."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from ...language.vocabulary import Vocabulary
from ..captioning.prepare import Recipe, Report

S2VT, POOLMEAN = "s2vt", "poolmean"
#: The list of a split's HDF5 files.
LIST = "hdf5_chunk_list.txt"


@dataclass(frozen=True)
class VideoRecipe(Recipe):
    """What the streams of a data set of videos look like.

    Args:
        layout: ``s2vt`` or ``poolmean``.
        reverse: the words come in reverse order (S2VT).
        skip_missing: leave out sentences of videos without features.
        split_words: text -> its tokens.
    """

    layout: str = S2VT
    reverse: bool = False
    skip_missing: bool = False
    split_words: Callable[[str], list[str]] = str.split

    def __post_init__(self) -> None:
        super().__post_init__()
        least, what = {S2VT: (3, "a frame, a word and the end"),
                       POOLMEAN: (2, "a word and the end")}[self.layout]
        if self.timesteps < least:
            raise UsageError(f"--timesteps is too small: {what} take {least} steps",
                             got=self.timesteps)

    def folder(self, split: str) -> Path:
        """Return where the streams of a split go."""
        return self.out / f"buffer_{self.streams}_{self.layout}_{self.timesteps}" / \
            f"{split}_batches"


@dataclass(frozen=True)
class Target:
    """Where the files of a split are written.

    Args:
        recipe: what they look like.
        folder: where they are written.
        final: the name that this folder gets afterwards.
        vocabulary: whose ids the words are.
        report: receives a line for each step.
    """

    recipe: VideoRecipe
    folder: Path
    final: Path
    vocabulary: Vocabulary
    report: Report

    def write_list(self, name: str, lines: Iterable[object]) -> None:
        """Write a text file with a line for each of ``lines``."""
        with open(self.folder / name, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
