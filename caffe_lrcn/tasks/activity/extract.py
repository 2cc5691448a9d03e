"""Video files to folders of frames, and folders of frames to folders of flow.

Each folder appears when it is whole; a run that was interrupted goes on with the next one.
"""
from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...errors import CaffeError, DataError, UsageError
from ...files import writing
from ...sources.frame_folders import (
    ABOUT,
    FLOW,
    RGB,
    About,
    flow_name,
    frame_name,
    list_frames,
    natural,
    read_about,
)
from ...sources.picture import read_picture
from ...sources.resize import resize
from ...sources.video_file import SUFFIXES, VideoFile
from .flow import FlowMethod, flow_picture

PARTIAL = ".partial"
_EVERY = 2.0  # seconds between two lines of progress


@dataclass(frozen=True)
class Job:
    """One folder to make.

    Args:
        name: of the video, its folder below the root; parts are separated by ``/``.
        source: the video file, or the folder of frames.
    """

    name: str
    source: Path


@dataclass
class Outcome:
    """What became of the jobs: how many folders were made and were there, what went wrong."""

    made: int = 0
    kept: int = 0
    pictures: int = 0
    broken: list[CaffeError] = field(default_factory=list)


def find_videos(inputs: Iterable[Path]) -> list[Job]:
    """Return the videos among files and below folders, in natural order.

    A file's name is its stem; that of a file below a folder is its path from there.

    Raises:
        DataError: an input is missing, or a folder has no video.
        UsageError: two videos have one name.
    """
    jobs: list[Job] = []
    for path in inputs:
        if path.is_dir():
            found = [file for file in path.rglob("*")
                     if file.suffix.lower() in SUFFIXES and file.is_file()]
            if not found:
                raise DataError("the folder has no videos", where=path,
                                wanted="files that end in " + ", ".join(SUFFIXES))
            jobs += sorted((Job(file.relative_to(path).with_suffix("").as_posix(), file)
                            for file in found), key=lambda job: natural(job.name))
        elif path.exists():
            jobs.append(Job(path.stem, path))
        else:
            raise DataError(f"video '{path}' is missing")
    return _distinct(jobs)


def find_frames(root: Path) -> list[Job]:
    """Return the folders of RGB frames below ``root``, or ``root`` itself, in natural order.

    Raises:
        DataError: there is none; or one has flow in it.
    """
    if not root.is_dir():
        raise DataError("there is no such folder of frames", got=root)
    jobs = []
    for folder, _, files in os.walk(root):
        if PARTIAL in folder or not any(name.lower().endswith((".jpg", ".png")) for name in files):
            continue
        path = Path(folder)
        about = read_about(path)
        if about and about.kind == FLOW:
            raise DataError("these are pictures of flow, not frames", where=path,
                            remedy="Name the folder that 'caffe-lrcn data frames' wrote.")
        jobs.append(Job(path.relative_to(root).as_posix() if path != root else root.name, path))
    if not jobs:
        raise DataError("the folder has no frames", where=root,
                        remedy="Make them: caffe-lrcn data frames VIDEO --out FOLDER")
    return sorted(jobs, key=lambda job: natural(job.name))


def _distinct(jobs: list[Job]) -> list[Job]:
    known: dict[str, Job] = {}
    for job in jobs:
        other = known.setdefault(job.name, job)
        if other is not job:
            raise UsageError("two videos would go to one folder",
                             got=f"{other.source} and {job.source}",
                             remedy="Rename one of them, or write them to folders of their own.")
    return jobs


@dataclass(frozen=True)
class FrameRecipe:
    """How frames are made.

    Args:
        rate: pictures per second; None: every picture of the file.
        quality: of the JPEG files, 1 to 95.
        size: (height, width) to resize to, pixels; None: as in the file.
    """

    rate: float | None = None
    quality: int = 95
    size: tuple[int, int] | None = None

    kind = RGB

    @property
    def made(self) -> dict[str, Any]:
        """What decides how the pictures look."""
        return {"rate": self.rate, "quality": self.quality,
                "size": list(self.size) if self.size else None}

    def write(self, job: Job, folder: Path) -> About:
        """Write the frames of a video and return what they are.

        Raises:
            DataError: the video is damaged.
        """
        number, shape = 0, (0, 0)
        stem = job.name.rpartition("/")[2]
        with VideoFile(job.source) as video:
            for number, frame in enumerate(video.frames(self.rate), start=1):
                if self.size:
                    frame = resize(frame, *self.size)
                shape = frame.shape[:2]
                _save(frame[:, :, ::-1], folder / frame_name(stem, number), self.quality)
            rate = self.rate or video.rate
        return About(RGB, number, *shape, rate, self.source(job), self.made)

    def source(self, job: Job) -> dict[str, Any]:
        """Return what tells whether a video is still the one that was read."""
        status = job.source.stat()
        return {"name": job.source.name, "bytes": status.st_size,
                "modified": int(status.st_mtime)}


@dataclass(frozen=True)
class FlowRecipe:
    """How pictures of flow are made from frames.

    Args:
        method: computes flow.
        scale: grey levels per pixel of motion.
        quality: of the JPEG files, 1 to 95.
    """

    method: FlowMethod
    scale: float = 16.0
    quality: int = 95

    kind = FLOW

    @property
    def made(self) -> dict[str, Any]:
        """What decides how the pictures look."""
        return {"method": self.method.name, "scale": self.scale, "quality": self.quality}

    def write(self, job: Job, folder: Path) -> About:
        """Write the flow between the frames of a folder and return what it is.

        Raises:
            DataError: there is one frame only, or frames are damaged or of several sizes.
        """
        names = list_frames(job.source)
        if len(names) < 2:
            raise DataError("flow needs two frames or more", where=job.source, got=1)
        before = None
        for name in names:
            frame = read_picture(str(job.source / name), color=False)[:, :, 0]
            if before is not None:
                if before.shape != frame.shape:
                    raise DataError("the frames have several sizes", where=job.source / name,
                                    got=frame.shape, wanted=before.shape)
                picture = flow_picture(self.method(before, frame), self.scale)
                _save(picture, folder / flow_name(name), self.quality, subsampling=0)
            before = frame
        about = read_about(job.source)
        return About(FLOW, len(names) - 1, *frame.shape, about.rate if about else None,
                     self.source(job), self.made)

    def source(self, job: Job) -> dict[str, Any]:
        """Return what the frames were made from and how; empty if they do not say."""
        about = read_about(job.source)
        return {**about.source, "frames": about.made} if about else {}


Recipe = FrameRecipe | FlowRecipe


def make_folders(jobs: Sequence[Job], out: Path, recipe: Recipe, *, force: bool = False,
                 strict: bool = False, threads: int = 1,
                 report: Callable[[str], None] = lambda line: None) -> Outcome:
    """Make a folder below ``out`` for each job, unless it is there and made in the same way.

    Args:
        jobs: what to make.
        out: the root.
        recipe: how.
        force: make folders anew that were made in another way.
        strict: the first broken video is an error; otherwise it is reported and skipped.
        threads: how many folders are made at once.
        report: takes lines of progress.

    Raises:
        DataError: ``out`` has folders that were made in another way, or cannot be written; with
            ``strict``, a video is broken.
    """
    jobs = list(jobs)
    outcome = Outcome()
    with writing(out, DataError, "the frames"):
        out.mkdir(parents=True, exist_ok=True)
        for leftover in out.rglob(f"*{PARTIAL}"):
            shutil.rmtree(leftover, ignore_errors=True)
    check_alike(out, recipe, {job.name for job in jobs} if force else set())
    progress = _Progress(len(jobs), report)
    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(lambda job: _make(job, out, recipe, force), jobs)
        try:
            for job, result in zip(jobs, results, strict=True):
                _count(outcome, job, result, strict, report)
                progress.show(outcome)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return outcome


def _count(outcome: Outcome, job: Job, result: int | CaffeError, strict: bool,
           report: Callable[[str], None]) -> None:
    if isinstance(result, CaffeError):
        if strict:
            raise result
        outcome.broken.append(result)
        report(f"warning: skipped: {result}")
    elif result:
        outcome.made += 1
        outcome.pictures += result
    else:
        outcome.kept += 1


def _make(job: Job, out: Path, recipe: Recipe, force: bool) -> int | CaffeError:
    """Make one folder; return how many pictures it has, 0 if it was there, or what is wrong."""
    folder = out / job.name
    try:
        about = read_about(folder) if folder.is_dir() else None
        if about and about.made == recipe.made and about.source == recipe.source(job):
            return 0
        if folder.is_dir() and not about and not force:
            return DataError("the folder is there and does not say how it was made", where=folder,
                             remedy="Remove it, or say --force to replace it.")
    except DataError as error:
        if not force:
            return error
    partial = folder.with_name(folder.name + PARTIAL)
    try:
        with writing(folder, _DiskError, "the frames"):
            partial.mkdir(parents=True)
            about = recipe.write(job, partial)
            about.write(partial)
            if folder.exists():
                shutil.rmtree(folder)
            os.rename(partial, folder)
        return about.count
    except _DiskError:
        raise  # a full disk concerns all videos
    except CaffeError as error:
        return error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class _DiskError(DataError):
    """Frames that cannot be written."""


def check_alike(out: Path, recipe: Recipe, but: set[str]) -> None:
    """Check that the folders below ``out`` were made in the way of ``recipe``.

    Args:
        out: the root.
        recipe: how folders are made now.
        but: names of folders that do not count.

    Raises:
        DataError: one was made in another way.
    """
    for path in sorted(out.rglob(ABOUT)):
        about = read_about(path.parent)
        if about is None or path.parent.relative_to(out).as_posix() in but:
            continue
        if about.kind != recipe.kind or about.made != recipe.made:
            differs = {key: value for key, value in about.made.items()
                       if value != recipe.made.get(key)}
            raise DataError(
                "the folder has frames that were made in another way", where=path.parent,
                got=about.kind if about.kind != recipe.kind else differs,
                wanted=recipe.kind if about.kind != recipe.kind
                else {key: recipe.made[key] for key in differs},
                remedy="Write to another folder, or make all of them anew with --force.")


def _save(pixels: np.ndarray, path: Path, quality: int, subsampling: int = -1) -> None:
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        path, "JPEG", quality=quality, subsampling=subsampling)


class _Progress:
    """Says every now and then how many folders are done and how long the rest takes."""

    def __init__(self, jobs: int, report: Callable[[str], None]) -> None:
        self._jobs, self._report = jobs, report
        self._start = self._last = time.monotonic()

    def show(self, outcome: Outcome) -> None:
        """Report, if the last time is long enough ago."""
        now = time.monotonic()
        done = outcome.made + outcome.kept + len(outcome.broken)
        if now - self._last < _EVERY or done == self._jobs:
            return
        self._last = now
        worked = max(done - outcome.kept, 1)
        left = (self._jobs - done) * (now - self._start) / worked
        self._report(f"{done} of {self._jobs} videos, about {left / 60:.1f} minutes left")
