"""Which videos, and which folders of frames, there are to work on."""
from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError, UsageError
from ...files import PARTIAL
from ...sources.folder import ENDINGS, natural_order
from ...sources.frame_folders import FLOW, read_about
from ...sources.video_file import SUFFIXES


@dataclass(frozen=True)
class Job:
    """One folder to make.

    Args:
        name: of the video, its folder below the root; parts are separated by ``/``.
        source: the video file, or the folder of frames.
    """

    name: str
    source: Path


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
                            for file in found), key=lambda job: natural_order(job.name))
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
        raise DataError("the folder of frames does not exist", got=root)
    jobs = []
    for folder, _, files in os.walk(root):
        if folder.endswith(PARTIAL) or not any(name.lower().endswith(ENDINGS) for name in files):
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
    return sorted(jobs, key=lambda job: natural_order(job.name))


def _distinct(jobs: list[Job]) -> list[Job]:
    known: dict[str, Job] = {}
    for job in jobs:
        other = known.setdefault(job.name, job)
        if other is not job:
            raise UsageError("two videos would go to one folder",
                             got=f"{other.source} and {job.source}",
                             remedy="Rename one of them, or write them to folders of their own.")
    return jobs
