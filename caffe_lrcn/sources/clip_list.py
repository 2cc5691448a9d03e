"""Lists of videos, as VideoData reads them: each one found and looked at before training begins."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import glog
from ..errors import DataError
from ..paths import resolve
from .frame_folders import ABOUT, FLOW, RGB, About, check_numbers, list_frames, read_about
from .listing import PictureList, read_picture_list
from .picture import read_picture
from .picture_file import open_picture
from .video_file import SUFFIXES, VideoFile

_FLOW_PICTURE = "flow_image_"
_EXAMPLE = "v_Archery_g01_c01 3"


@dataclass(frozen=True)
class Video:
    """A folder of frames or a video file, as it was when it was looked at.

    Args:
        path: of the folder or file.
        is_file: it is a video file.
        count, height, width: of its frames.
        stamp: tells whether it has changed since.
    """

    path: str
    is_file: bool
    count: int
    height: int
    width: int
    stamp: tuple[int, int]


@dataclass(frozen=True)
class VideoList:
    """Videos in the order of their list, with labels and line numbers."""

    listed: PictureList
    videos: list[Video]

    def place(self, entry: int) -> tuple[str, str]:
        """Return ``list:line`` of an entry, and what its video is called."""
        return (f"{self.listed.file}:{self.listed.lines[entry]}",
                f"video '{self.videos[entry].path}'")


def read_video_list(path: str, root: str, beside: tuple[str | None, ...], kind: str,
                    rate: float | None = None) -> VideoList:
    """Read a list of ``name label`` lines, and look at each video that it names.

    A name is looked for as the folder ``root/name`` without suffix, the folder of its last part,
    and then, for RGB, as a video file: ``root/name``, or with one of the suffixes of videos.

    Args:
        path: the list.
        root: the folder of the videos; '': where the list or the definition is.
        beside: files in whose folders relative paths are looked for, after the working folder.
        kind: ``rgb`` or ``flow``.
        rate: frames per second; None: every frame.

    Raises:
        DataError: the list is missing, or a line has no label; or a video is missing, damaged, has
            frames of several sizes, is of the other kind, or was made otherwise than another one.
    """
    listed = read_picture_list(path, "video", _EXAMPLE)
    found = [find_video(name, root, beside, kind) for name in listed.names]
    missing = [entry for entry, video in enumerate(found) if video is None]
    if missing:
        raise _missing(listed, missing, root, kind)
    looked: dict[str, tuple[Video, About | None]] = {}
    for entry, video_path in enumerate(found):
        assert video_path is not None
        if listed.labels[entry] < 0:
            raise DataError("the label is negative", where=_where(listed, entry),
                            got=listed.labels[entry], wanted="a class, numbered from 0")
        if video_path not in looked:
            try:
                looked[video_path] = look(video_path, kind, rate)
            except DataError as error:
                raise _at(error, _where(listed, entry), listed.names[entry]) from None
    videos = [looked[str(video_path)][0] for video_path in found]
    folders = [(entry, looked[video.path][1]) for entry, video in enumerate(videos)
               if not video.is_file]
    _check_alike(folders, lambda entry: _where(listed, entry))
    _warn_of_doubts(path, folders, len(videos), rate)
    return VideoList(listed, videos)


def find_video(name: str, root: str, beside: tuple[str | None, ...], kind: str) -> str | None:
    """Return the folder or file of a listed video; None if there is none."""
    for path in _folders(name):
        folder = resolve(os.path.join(root, path), *beside)
        if os.path.isdir(folder):
            return folder
    for path in _files(name) if kind == RGB else ():
        file = resolve(os.path.join(root, path), *beside)
        if os.path.isfile(file):
            return file
    return None


def look(path: str, kind: str, rate: float | None) -> tuple[Video, About | None]:
    """Return what a folder of frames or a video file holds, and how a folder was made.

    Raises:
        DataError: as ``read_video_list``.
    """
    before = stamp(path)
    if not os.path.isdir(path):
        with VideoFile(path) as file:
            height, width, _ = next(file.frames()).shape
        with VideoFile(path) as file:
            return Video(path, True, file.length(rate), height, width, before), None
    folder = Path(path)
    names, about = list_frames(folder), read_about(folder)
    _check_kind(folder, names, about, kind)
    if about and rate and about.rate and abs(about.rate - rate) > 0.01:
        raise DataError("the frames were taken at another rate", where=path,
                        got=f"{about.rate:g} per second", wanted=f"{rate:g}",
                        remedy="Leave rate out: it is for video files")
    height, width, _ = read_picture(os.path.join(path, names[0])).shape
    if about is None:  # else the folder was made in one go, and says its size
        check_numbers(folder, names)
        _check_sizes(folder, names)
    elif (about.height, about.width) != (height, width):
        raise DataError("the frames have another size than their description says",
                        where=path, got=f"{height}x{width} (height, width)",
                        wanted=f"{about.height}x{about.width} as {ABOUT} says",
                        remedy="Remove the folder and make it again.")
    return Video(path, False, len(names), height, width, before), about


def stamp(path: str) -> tuple[int, int]:
    """Return what changes with a video: size and time of ``frames.json``, or of a video file.

    Raises:
        DataError: it is gone.
    """
    about = os.path.join(path, ABOUT)
    try:
        found = os.stat(about if os.path.exists(about) else path)
    except OSError as error:
        raise DataError("the video cannot be read", where=path, got=error.strerror) from None
    return found.st_size, found.st_mtime_ns


def _folders(name: str) -> Iterator[str]:
    stem, suffix = os.path.splitext(name)
    whole = stem if suffix.lower() in SUFFIXES else name
    yield whole
    yield os.path.basename(whole)


def _files(name: str) -> Iterator[str]:
    yield name
    for folder in _folders(name):
        for suffix in SUFFIXES:
            yield folder + suffix


def _where(listed: PictureList, entry: int) -> str:
    return f"{listed.file}:{listed.lines[entry]}"


def _at(error: DataError, place: str, name: str) -> DataError:
    """Return an error of a video that names its line in the list."""
    inside = f" ({error.where})" if error.where else ""
    error.message, error.where = f"video '{name}'{inside}: {error.message}", place
    return error


def _missing(listed: PictureList, missing: list[int], root: str, kind: str) -> DataError:
    message = f"video '{listed.names[missing[0]]}' is missing"
    if len(missing) > 1:
        message += f", and {len(missing) - 1} more of {len(listed)}"
    folder = f"in root_folder '{root}'" if root else "beside the list; root_folder is not given"
    if kind == FLOW:
        return DataError(message, where=_where(listed, missing[0]),
                         wanted=f"a folder of flow pictures {folder}",
                         remedy="Make it: caffe-lrcn data flow")
    return DataError(message, where=_where(listed, missing[0]),
                     wanted=f"a folder of frames, or a video file, {folder}",
                     remedy="Make folders of frames: caffe-lrcn data frames")


def _check_kind(folder: Path, names: list[str], about: About | None, kind: str) -> None:
    if about:
        found = about.kind
    else:  # other tools do not say; the scripts for MATLAB call flow so
        found = FLOW if names[0].startswith(_FLOW_PICTURE) else kind
    if found != kind:
        words = {RGB: "frames", FLOW: "pictures of flow"}
        command = {RGB: "frames", FLOW: "flow"}[kind]
        raise DataError(f"these are {words[found]}, not {words[kind]}", where=folder,
                        remedy=f"Set modality: {found.upper()}, or name the folder that "
                               f"'caffe-lrcn data {command}' wrote")


def _check_sizes(folder: Path, names: list[str]) -> None:
    first: tuple[int, int] | None = None
    for name in names:
        with open_picture(folder / name) as picture:
            size = picture.size
        if size != (first := first or size):
            raise DataError(f"picture '{name}' has another size than the first", where=folder,
                            got=f"{size[1]}x{size[0]} (height, width)",
                            wanted=f"{first[1]}x{first[0]} as '{names[0]}'")


def _check_alike(folders: list[tuple[int, About | None]], where: Callable[[int], str]) -> None:
    """Refuse folders that were made in different ways."""
    known = [(entry, about) for entry, about in folders if about]
    for entry, about in known:
        first_entry, first = known[0]
        if about.made != first.made:
            differs = sorted(key for key in about.made.keys() | first.made.keys()
                             if about.made.get(key) != first.made.get(key))
            raise DataError(
                "the pictures were made otherwise than those of another video",
                where=where(entry), got=_listed(about.made, differs),
                wanted=f"{_listed(first.made, differs)} as at {where(first_entry)}",
                remedy="Make all of them with the same options")


def _warn_of_doubts(path: str, folders: list[tuple[int, About | None]], videos: int,
                    rate: float | None) -> None:
    """Say which videos may differ from the others in a way that their frames do not show."""
    unknown = sum(about is None for _, about in folders)
    if unknown and (rate or unknown < len(folders)):
        glog.warning("%s: %d of %d folders have no %s: they may have been made otherwise than the "
                     "others, or at another rate", path, unknown, len(folders), ABOUT)
    if folders and len(folders) < videos:
        glog.warning("%s: %d videos are folders of frames, %d are files; see that they have one "
                     "rate", path, len(folders), videos - len(folders))


def _listed(made: dict[str, object], keys: list[str]) -> str:
    return ", ".join(f"{key} {made.get(key)}" for key in keys)
