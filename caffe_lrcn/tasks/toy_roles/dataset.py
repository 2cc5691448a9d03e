"""The data set on disk: videos, files of roles, lists and labels for nets, references."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ... import rng
from ...errors import DataError, UsageError
from ...files import new_folder
from ...hdf5_files import new_hdf5
from ...sources.video_file import import_av
from ..description.noisy_posteriors import Noise, add_noise, calibrate
from ..description.references import write_references
from ..description.role_records import Roles
from ..description.roles import write_roles
from ..progress import Progress
from ..toy_actions.dataset import encode
from ..toy_actions.drawing import random_look
from .drawing import draw_clip
from .grammar import describe
from .scenes import ALIKE, SLOTS, labels, random_scene

Report = Callable[[str], None]
#: Sentences of each clip.
SENTENCES = 4


@dataclass(frozen=True)
class Extent:
    """How much is generated.

    Args:
        groups: of clips; those of a group show the same kitchen.
        clips: of each group.
        frames: of each clip.
        side: of a frame, pixels.
        videos: write them; without, there are roles and sentences only.
    """

    groups: int = 25
    clips: int = 40
    frames: int = 24
    side: int = 64
    videos: bool = True

    def check(self) -> None:
        """Check that a data set can be made.

        Raises:
            UsageError: there is too little or too much of something.
        """
        for what, got, least, most in (
                ("groups", self.groups, 3, 99), ("clips", self.clips, 1, 9999),
                ("frames", self.frames, 8, 10_000), ("side", self.side, 32, 1024)):
            if not least <= got <= most:
                raise UsageError(f"--{what} is out of range", got=got, wanted=f"{least} to {most}")
        if self.side % 2:
            raise UsageError("--side must be even, as the codec wants", got=self.side)

    def splits(self) -> dict[str, range]:
        """Return the numbers of the groups of each split, from 1."""
        test, val = max(1, round(self.groups / 5)), max(1, round(self.groups * 3 / 25))
        return {"train": range(test + val + 1, self.groups + 1),
                "val": range(test + 1, test + val + 1), "test": range(1, test + 1)}


def write_dataset(out: str | os.PathLike[str], extent: Extent | None = None, seed: int = 1,
                  noise: float | None = 0.2, report: Report = lambda line: None) -> None:
    """Write the generated data set.

    For each split (train, val, test; divided by group):

    - ``<split>.json``: the true roles, four sentences a clip, and the path of its video;
    - ``references_<split>.json``: the sentences in COCO's form;
    - ``noisy_<split>.json`` with ``noise``: roles as a simulated recogniser sees them;
    - ``videos/gNN_cNNNN.avi`` (MPEG-4, 25 pictures per second) with ``<split>.txt``, a list for
      VideoData whose label is the line, and ``labels_<split>.h5`` (listed in
      ``labels_<split>.txt``) with a row for each line, for HDF5Data: a dataset for each slot.

    Args:
        out: a folder that does not exist; it appears when all is written.
        extent: how much is generated.
        seed: the same seed gives the same files with the same FFmpeg.
        noise: the share of labels that the simulated recogniser gets wrong; None: there is none.
        report: receives lines of progress.

    Raises:
        DataError: the folder exists or cannot be written, or PyAV is not installed.
        UsageError: ``extent`` or ``noise`` is out of range.
    """
    extent = extent or Extent()
    extent.check()
    if extent.videos:
        import_av()
    out = Path(os.path.abspath(out))
    if out.exists():
        raise DataError("output exists already", where=out,
                        remedy="Use another folder, or remove it.")
    splits = {split: _roles(split, groups, extent, seed)
              for split, groups in extent.splits().items()}
    seen = None if noise is None else calibrate(splits["train"], noise, ALIKE, seed)
    with new_folder(out, DataError, "the data set") as folder:
        for split, roles in splits.items():
            _write_split(folder, split, roles, seen, seed)
            if extent.videos:
                _write_lists(folder, split, roles)
            kitchens = len(extent.splits()[split])
            report(f"{split}: {len(roles.ids)} clips of {kitchens} kitchen{'s'[:kitchens > 1]}")
        if seen is not None:
            report(f"simulated recogniser: {_told(seen)}")
        if extent.videos:
            _write_videos(folder, extent, seed, report)


def make_clip(group: int, clip: int, extent: Extent, seed: int) -> np.ndarray:
    """Return the frames of a clip, (T, side, side, 3) uint8 red, green, blue.

    Args:
        group, clip: numbers from 1.
        extent: gives the number of frames and their side.
        seed: of the data set.
    """
    texture = random_look(extent.side, rng.generator(seed, "toy-roles", group)).texture
    scene = random_scene(rng.generator(seed, "toy-roles", group, clip))
    return draw_clip(scene, texture, extent.frames, extent.side,
                     rng.generator(seed, "toy-roles", group, clip, "drawing"))


def _roles(split: str, groups: range, extent: Extent, seed: int) -> Roles:
    """Return the true roles of a split."""
    ids, rows, sentences = [], [], []
    for group in groups:
        for clip in range(1, extent.clips + 1):
            scene = random_scene(rng.generator(seed, "toy-roles", group, clip))
            ids.append(_name(group, clip))
            rows.append(labels(scene))
            sentences.append(describe(scene, rng.generator(seed, "toy-roles", group, clip,
                                                           "sentences"), SENTENCES))
    # A batch of neighbours would show one kitchen only.
    order = rng.generator(seed, "toy-roles", split, "order").permutation(len(ids))
    videos = [f"videos/{name}.avi" if extent.videos else None for name in ids]
    return Roles(f"{split}.json", SLOTS, ids, videos, np.array(rows), None,
                 sentences).select(order)


def _write_split(out: Path, split: str, roles: Roles, noise: Noise | None, seed: int) -> None:
    write_roles(out / f"{split}.json", roles)
    write_references(out / f"references_{split}.json", roles)
    if noise is not None:
        write_roles(out / f"noisy_{split}.json", add_noise(roles, noise, seed))


def _write_lists(out: Path, split: str, roles: Roles) -> None:
    lines = "".join(f"{name} {line}\n" for line, name in enumerate(roles.ids))
    (out / f"{split}.txt").write_text(lines, encoding="utf-8", newline="\n")
    with new_hdf5(out / f"labels_{split}.h5") as file:
        for k, slot in enumerate(roles.slots):
            file.create_dataset(slot.name, data=roles.labels[:, k].astype(np.float32)
                                ).attrs["labels"] = list(slot.labels)
    (out / f"labels_{split}.txt").write_text(f"labels_{split}.h5\n", encoding="utf-8",
                                             newline="\n")


def _write_videos(out: Path, extent: Extent, seed: int, report: Report) -> None:
    (out / "videos").mkdir()
    progress = Progress(extent.groups * extent.clips, "videos", report)
    for group, clip in _clips(extent):
        content = encode(make_clip(group, clip, extent, seed))
        (out / "videos" / f"{_name(group, clip)}.avi").write_bytes(content)
        progress.step()


def _clips(extent: Extent) -> Iterator[tuple[int, int]]:
    for group in range(1, extent.groups + 1):
        for clip in range(1, extent.clips + 1):
            yield group, clip


def _told(noise: Noise) -> str:
    shares = ", ".join(f"{slot.name} {share:.0%}"
                       for slot, share in zip(SLOTS, noise.shares, strict=True))
    return f"{noise.share:.0%} of the labels are wrong ({shares})"


def _name(group: int, clip: int) -> str:
    return f"g{group:02}_c{clip:04}"
