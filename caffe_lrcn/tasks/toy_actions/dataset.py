"""The data set on disk: video files in class folders and lists, in the form of UCF101."""
from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from ... import rng
from ...errors import DataError, UsageError
from ...files import new_folder
from ...sources.video_file import import_av
from .drawing import draw_clip, random_look
from .motions import CLASSES, make_tracks

Report = Callable[[str], None]
#: Pictures per second.
RATE = 25
#: Of 25 groups of UCF101's first split, 1 to 7 are for testing.
_TEST_SHARE = Fraction(7, 25)
_QUALITY = 2  # of MPEG-4, 1 to 31; smaller is better
#: Fewer frames leave no room for two motions, a smaller side none for a thing.
_FEWEST_FRAMES, _SMALLEST_SIDE = 8, 32


@dataclass(frozen=True)
class Extent:
    """How much is generated.

    Args:
        groups: of each class; those of a group, in all classes, share things and background.
        clips: of each group.
        frames: of each clip.
        side: of a frame, pixels.
    """

    groups: int = 96
    clips: int = 1
    frames: int = 24
    side: int = 64

    @property
    def test_groups(self) -> int:
        """How many of the groups, the first ones, are for testing."""
        return max(1, round(self.groups * _TEST_SHARE))

    def check(self) -> None:
        """Check that a data set can be made.

        Raises:
            UsageError: there is too little of something, or too much for a file name.
        """
        for what, got, least, most in (
                ("groups", self.groups, 2, 99), ("clips", self.clips, 1, 99),
                ("frames", self.frames, _FEWEST_FRAMES, 10_000),
                ("side", self.side, _SMALLEST_SIDE, 1024)):
            if not least <= got <= most:
                raise UsageError(f"--{what} is out of range", got=got, wanted=f"{least} to {most}")
        if self.side % 2:
            raise UsageError("--side must be even, as the codec wants", got=self.side)


def write_dataset(out: str | os.PathLike[str], extent: Extent | None = None, seed: int = 1,
                  report: Report = lambda line: None) -> None:
    """Write the generated data set.

    ``OUT/videos/<Class>/v_<Class>_gNN_cNN.avi`` are the clips (MPEG-4, 25 pictures per second);
    ``OUT/classInd.txt`` numbers the classes from 1, ``OUT/trainlist01.txt`` and
    ``OUT/testlist01.txt`` divide the clips by group.

    Args:
        out: a folder that does not exist; it appears when all is written.
        extent: how much is generated.
        seed: the same seed gives the same files with the same FFmpeg, and more clips of a group
            begin with the fewer ones.
        report: receives a line for each class.

    Raises:
        DataError: the folder exists or cannot be written, or PyAV is not installed.
        UsageError: ``extent`` is out of range.
    """
    extent = extent or Extent()
    extent.check()
    import_av()
    out = Path(os.path.abspath(out))
    if out.exists():
        raise DataError("output exists already", where=out,
                        remedy="Use another folder, or remove it.")
    with new_folder(out, DataError, "the data set") as folder:
        for number, name in enumerate(CLASSES, start=1):
            _write_class(folder / "videos" / name, name, extent, seed)
            report(f"{name}: {extent.groups * extent.clips} clips "
                   f"({number} of {len(CLASSES)} classes)")
        _write_lists(folder, extent)


def make_clip(name: str, group: int, clip: int, extent: Extent, seed: int) -> np.ndarray:
    """Return the frames of a clip, (T, side, side, 3) uint8 red, green, blue.

    Args:
        name: its class, one of ``CLASSES``.
        group, clip: numbers from 1.
        extent: gives the number of frames and their side.
        seed: of the data set.
    """
    # If each class had looks of its own, a net would learn them by heart, and nothing of motions.
    look = random_look(extent.side, rng.generator(seed, "toy-actions", group))
    random = rng.generator(seed, "toy-actions", name, group, clip)
    return draw_clip(look, make_tracks(name, extent.frames, random), extent.side, random)


def _write_class(folder: Path, name: str, extent: Extent, seed: int) -> None:
    folder.mkdir(parents=True)
    for group in range(1, extent.groups + 1):
        for clip in range(1, extent.clips + 1):
            frames = make_clip(name, group, clip, extent, seed)
            (folder / _file(name, group, clip)).write_bytes(encode(frames))


def encode(frames: np.ndarray) -> bytes:
    """Return an AVI file of (T, H, W, 3) uint8 frames, red, green, blue; H and W are even.

    The codec is MPEG-4 part 2, which every FFmpeg has, with small losses.

    Raises:
        DataError: PyAV is not installed.
    """
    av = import_av()
    file = io.BytesIO()
    with av.open(file, "w", format="avi", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1  # the bytes must not depend on the number of cores
        stream.options = {"flags": "+bitexact+qscale", "global_quality": str(_QUALITY * 118)}
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _write_lists(out: Path, extent: Extent) -> None:
    """Write the lists as those of UCF101 are: only the training list has labels, from 1."""
    train, test = [], []
    for label, name in enumerate(CLASSES, start=1):
        for group in range(1, extent.groups + 1):
            for clip in range(1, extent.clips + 1):
                path = f"{name}/{_file(name, group, clip)}"
                if group <= extent.test_groups:
                    test.append(path)
                else:
                    train.append(f"{path} {label}")
    classes = [f"{label} {name}" for label, name in enumerate(CLASSES, start=1)]
    for file, lines in (("classInd.txt", classes), ("trainlist01.txt", train),
                        ("testlist01.txt", test)):
        (out / file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8",
                                newline="\n")


def _file(name: str, group: int, clip: int) -> str:
    return f"v_{name}_g{group:02}_c{clip:02}.avi"
