"""Which videos are to be recognised: named on the command line, or in a list."""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...errors import DataError
from ...sources.clip_list import find_video
from ...sources.folder import ENDINGS
from ...sources.frame_folders import FLOW, RGB
from ...sources.listing import parse_label, read_text
from .ensemble import Video
from .jobs import find_videos
from .lists import without_suffix


def named_videos(paths: Iterable[str], flow_root: str | None, flow_alone: bool) -> list[Video]:
    """Return the videos at paths: files, folders of frames, and folders with videos below them.

    Args:
        paths: of them.
        flow_root: folder with a folder of flow pictures for each video, called as its file.
        flow_alone: folders have pictures of flow.

    Raises:
        DataError: a folder has neither pictures nor videos.
    """
    videos = []
    for path in dict.fromkeys(paths):
        if os.path.isdir(path) and not _has_pictures(path):
            jobs = find_videos([Path(path)])
            videos += [_named(str(job.source), job.name, flow_root, flow_alone) for job in jobs]
        else:
            stem = os.path.basename(os.path.normpath(path))
            videos.append(_named(path, without_suffix(stem), flow_root, flow_alone))
    return videos


def listed_videos(path: str, root: str, flow_root: str | None, classes: Sequence[str] | None,
                  flow_alone: bool) -> list[Video]:
    """Return the videos of a list, with their labels.

    A line is ``<name> <label>``, labels from 0. A name whose folder is a class needs no label.

    Args:
        path: the list.
        root: folder of the videos or of folders of frames; '': where the list is.
        flow_root: folder of folders of flow pictures.
        classes: their names, if they are known.
        flow_alone: no net takes RGB frames; ``root`` may have folders of flow pictures.

    Raises:
        DataError: the list is missing or empty, has a video twice, or a label that cannot be; or
            no video is found.
    """
    videos: dict[str, Video] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        name, label = _parsed(line.strip(), classes, where)
        if name in videos:
            raise DataError("the video is listed twice", where=where, got=name)
        videos[name] = _listed(name, label, path, root, flow_root, flow_alone)
    if not videos:
        raise DataError("the list names no video", where=path)
    known = [video for video in videos.values()
             if os.path.exists(video.frames or video.flow or "")]
    if not known:
        first = next(iter(videos))
        raise DataError(f"none of the listed videos is there, such as '{first}'", where=path,
                        got=f"root '{root}'" if root else "no --root",
                        remedy="Say with --root where they are")
    return list(videos.values())


def _parsed(line: str, classes: Sequence[str] | None, where: str) -> tuple[str, int | None]:
    name, space, text = line.rpartition(" ")
    label = parse_label(text) if space else None
    if label is None:
        name = line
    name = without_suffix(name.rstrip())
    if classes is None:
        return name, label
    folder = name.partition("/")[0]
    by_folder = classes.index(folder) if "/" in name and folder in classes else None
    if label is not None and by_folder is not None and label != by_folder:
        raise DataError("the label does not fit the video's class", where=where, got=line,
                        wanted=f"{by_folder} for {folder}, labels from 0",
                        remedy="Lists of UCF101 count from 1; write ours: caffe-lrcn data splits")
    label = by_folder if label is None else label
    if label is not None and not 0 <= label < len(classes):
        raise DataError("the label is not a class", where=where, got=label,
                        wanted=f"0 to {len(classes) - 1}")
    return name, label


def _named(path: str, name: str, flow_root: str | None, flow_alone: bool) -> Video:
    folder = os.path.isdir(path)
    if flow_root is None:
        return Video(path, None, path) if flow_alone and folder else Video(path, path)
    found = find_video(name, flow_root, (), FLOW)
    return Video(path, None if flow_alone else path, found or os.path.join(flow_root, name))


def _listed(name: str, label: int | None, path: str, root: str, flow_root: str | None,
            flow_alone: bool) -> Video:
    if flow_root is not None:
        flow = find_video(name, flow_root, (path,), FLOW) or os.path.join(flow_root, name)
    else:
        flow = find_video(name, root, (path,), FLOW) if flow_alone else None
    if flow_alone and flow:
        return Video(name, None, flow, label)
    frames = find_video(name, root, (path,), RGB) or os.path.join(root, name)
    return Video(name, frames, flow, label)


def _has_pictures(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.name.lower().endswith(ENDINGS) for entry in entries)
