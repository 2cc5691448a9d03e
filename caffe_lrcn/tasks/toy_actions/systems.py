"""The four nets of the demonstration, and the clips that they look at."""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...paths import resolve
from ...sources.frame_folders import list_frames
from ...sources.picture import read_picture
from ...sources.video_file import VideoFile
from ..activity.official_lists import read_data_set
from ..activity.recognise import Recogniser

CLIPS, DATA = Path("data/toy-actions"), Path("data/actions")
FRAMES, FLOW, TEST = DATA / "frames", DATA / "flow", DATA / "test1.txt"
_FOLDER = "prototxt/activity/small"


@dataclass(frozen=True)
class System:
    """One of the four nets.

    Args:
        kind: ``single_frame`` or ``lrcn``.
        modality: ``RGB`` or ``flow``.
    """

    kind: str
    modality: str

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.kind}_{self.modality}"

    @property
    def solver(self) -> str:
        """The solver definition."""
        return f"{_FOLDER}/{self.kind}.{self.modality}_solver.prototxt"

    @property
    def net(self) -> str:
        """The definition that learns."""
        return f"{_FOLDER}/{self.kind}.prototxt"

    @property
    def deploy(self) -> str:
        """The definition that recognises."""
        return f"{_FOLDER}/{self.kind}.deploy.prototxt"

    @property
    def frames(self) -> Path:
        """The folder of the pictures that it looks at."""
        return FLOW if self.modality == "flow" else FRAMES

    def recogniser(self, weights: Path, classes: Sequence[str], stages: Sequence[str] = (),
                   size: int | None = None) -> Recogniser:
        """Return the trained net.

        Args:
            weights: what it has learnt.
            classes: their names.
            stages: of the definition, beside the modality.
            size: frames of a window, if not as many as in the definition's clips.
        """
        return Recogniser(resolve(self.deploy), weights, classes=classes,
                          stages=[self.modality, *stages], size=size)


KINDS, MODALITIES = ("single_frame", "lrcn"), ("RGB", "flow")
SYSTEMS = [System(kind, modality) for modality in MODALITIES for kind in KINDS]


def test_clips() -> tuple[list[str], list[str], list[int]]:
    """Return the classes, and names and labels of the test clips."""
    data = read_data_set(CLIPS)
    videos = data.splits[1]["test"]
    return list(data.classes), [video.name for video in videos], [video.label for video in videos]


def frames_of(system: System, name: str) -> list[np.ndarray]:
    """Return the pictures of a clip that a net looks at, each (H, W, 3) BGR."""
    folder = system.frames / name
    return [read_picture(os.fspath(folder / file)) for file in list_frames(folder)]


def video_of(name: str) -> np.ndarray:
    """Return all frames of a clip, (T, H, W, 3) BGR."""
    with VideoFile(CLIPS / "videos" / f"{name}.avi") as file:
        return np.stack(list(file.frames()))
