"""Video files to folders of frames, and folders of frames to folders of flow.

Each folder appears when it is whole; a run that was interrupted goes on with the next one.
"""
from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import CaffeError, DataError
from ...files import PARTIAL, new_folder, writing
from ...sources.frame_folders import ABOUT, read_about
from ..progress import Progress
from .jobs import Job
from .recipes import Recipe


@dataclass
class Outcome:
    """What became of the jobs: how many folders were made and were there, what went wrong."""

    made: int = 0
    kept: int = 0
    pictures: int = 0
    broken: list[CaffeError] = field(default_factory=list)


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
    _check_alike(out, recipe, {job.name for job in jobs} if force else set())
    progress = Progress(len(jobs), "videos", report)
    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(lambda job: _make(job, out, recipe, force), jobs)
        try:
            for job, result in zip(jobs, results, strict=True):
                _count(outcome, job, result, strict, report)
                progress.step(idle=result == 0)
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
    try:
        with new_folder(folder, _DiskError, "the frames") as partial:
            about = recipe.write(job, partial)
            about.write(partial)
        return about.count
    except _DiskError:
        raise  # a full disk concerns all videos
    except CaffeError as error:
        return error


class _DiskError(DataError):
    """Frames that cannot be written."""


def _check_alike(out: Path, recipe: Recipe, but: set[str]) -> None:
    """Check that the folders below ``out`` were made in the way of ``recipe``.

    What an interruption has left is removed on the way.

    Args:
        out: the root.
        recipe: how folders are made now.
        but: names of folders that do not count.

    Raises:
        DataError: one was made in another way.
    """
    for name, folders, files in os.walk(out):
        for leftover in [one for one in folders if one.endswith(PARTIAL)]:
            shutil.rmtree(os.path.join(name, leftover), ignore_errors=True)
            folders.remove(leftover)
        folder = Path(name)
        about = read_about(folder) if ABOUT in files else None
        if about is None or folder.relative_to(out).as_posix() in but:
            continue
        differs = [key for key, value in about.made.items() if value != recipe.made.get(key)]
        if about.kind != recipe.kind or differs:
            raise DataError(
                "the folder has frames that were made in another way", where=folder,
                got={key: about.made[key] for key in differs} if about.kind == recipe.kind
                else about.kind,
                wanted={key: recipe.made[key] for key in differs} if about.kind == recipe.kind
                else recipe.kind,
                remedy="Write to another folder, or make all of them anew with --force.")
