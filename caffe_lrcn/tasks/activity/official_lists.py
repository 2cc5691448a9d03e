"""The lists that come with UCF101 and HMDB51, and folders with a folder for each class.

Source: ucfTrainTestlist of UCF101 and testTrainMulti_7030_splits of HMDB51.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...errors import DataError
from ...language.text_files import is_name, read_text
from ...sources.folder import natural_order
from ...sources.frame_folders import list_frames
from ...sources.video_file import SUFFIXES
from .lists import DataSet, Split, Video, without_suffix

CLASSES = "classInd.txt"
_UCF_LIST = re.compile(r"(train|test)list(\d\d)\.txt", re.ASCII)
_HMDB_LIST = re.compile(r"(.+)_test_split([1-9])\.txt")
_HMDB_PARTS = {"0": None, "1": "train", "2": "test"}
_LABEL = re.compile(r"\d{1,9}", re.ASCII)


def read_data_set(folder: Path) -> DataSet:
    """Return what a folder describes.

    Args:
        folder: has UCF101's ``classInd.txt``, ``trainlist01.txt`` and ``testlist01.txt`` and so on;
            or HMDB51's ``<class>_test_split1.txt`` and so on; or a folder of videos, or of folders
            of frames, for each class, which are split 1 without a part to test with.

    Raises:
        DataError: none of these; or lists with an unknown class, a video twice, or one in both
            parts of a split.
    """
    if not folder.is_dir():
        raise DataError("there is no such folder of lists or videos", got=folder)
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    if CLASSES in files:
        return _ucf101(folder, files)
    if any(map(_HMDB_LIST.fullmatch, files)):
        return _hmdb51(folder, files)
    return _class_folders(folder)


def read_class_names(path: Path) -> list[str]:
    """Return the names in a file of classes: one per line, or numbered from 1 as UCF101 has them.

    Raises:
        DataError: the file cannot be read, has no names, or one twice.
    """
    known: dict[str, None] = {}
    for where, name in _lines(path, "classes"):
        if not known and name.startswith("1 "):
            return _read_classes(path)
        if name in known:
            raise DataError("two classes have one name", where=where, got=name)
        known[name] = None
    if not known:
        raise DataError("the file has no classes", where=path)
    return list(known)


def _ucf101(folder: Path, files: Iterable[str]) -> DataSet:
    classes = _read_classes(folder / CLASSES)
    splits: dict[int, Split] = {}
    for file in files:
        if match := _UCF_LIST.fullmatch(file):
            known = _Checked()
            for where, line in _lines(folder / file, "videos"):
                known.add(_ucf_video(line, classes, where), where)
            splits.setdefault(int(match[2]), {})[match[1]] = known.videos
    for number, split in splits.items():
        if set(split) != {"train", "test"}:
            missing = "test" if "train" in split else "train"
            raise DataError(f"split {number} has no list of this part", where=folder,
                            wanted=f"{missing}list{number:02d}.txt")
    return _data_set("UCF101", classes, splits, folder)


def _read_classes(path: Path) -> list[str]:
    classes: list[str] = []
    for where, line in _lines(path, "classes"):
        number, name = (*line.split(None, 1), "")[:2]
        if number != str(len(classes) + 1) or not is_name(name):
            raise DataError("the classes are not numbered from 1", where=where, got=line,
                            wanted=f"{len(classes) + 1} and a name")
        if name in classes:
            raise DataError("two classes have one name", where=where, got=name)
        classes.append(name)
    if not classes:
        raise DataError("the file has no classes", where=path)
    return classes


def _ucf_video(line: str, classes: Sequence[str], where: str) -> Video:
    """Return the video of ``Class/video.avi 1`` or ``Class/video.avi``."""
    name, label = line, ""
    if (words := line.rsplit(None, 1))[-1] != line and _LABEL.fullmatch(words[-1]):
        name, label = words
    folder, _, _ = name.partition("/")
    if folder not in classes:
        raise DataError("the video's class is not in the list of classes", where=where, got=name,
                        wanted=f"Class/video, with a class of {CLASSES}")
    if label and int(label) != classes.index(folder) + 1:
        raise DataError("the label does not fit the video's class", where=where, got=line,
                        wanted=f"{classes.index(folder) + 1} for {folder}")
    return Video(without_suffix(name), classes.index(folder))


def _hmdb51(folder: Path, files: Iterable[str]) -> DataSet:
    matches = [match for match in map(_HMDB_LIST.fullmatch, files) if match]
    classes = sorted({match[1] for match in matches})
    checked: dict[int, dict[str, _Checked]] = {}
    for match in matches:
        parts = checked.setdefault(int(match[2]), {"train": _Checked(), "test": _Checked()})
        for where, line in _lines(folder / match[0], "videos"):
            words = line.rsplit(None, 1)
            if len(words) < 2 or words[1] not in _HMDB_PARTS:
                raise DataError("this is not a line of an HMDB51 split", where=where, got=line,
                                wanted="a video and 0, 1 (train) or 2 (test)")
            if part := _HMDB_PARTS[words[1]]:
                name = f"{match[1]}/{without_suffix(words[0])}"
                parts[part].add(Video(name, classes.index(match[1])), where)
    for number in checked:
        found = {match[1] for match in matches if int(match[2]) == number}
        if found != set(classes):
            absent = min(set(classes) - found)
            raise DataError(f"split {number} has no file for a class", where=folder,
                            wanted=f"{absent}_test_split{number}.txt")
    splits = {number: {part: known.videos for part, known in parts.items()}
              for number, parts in checked.items()}
    return _data_set("HMDB51", classes, splits, folder)


def _class_folders(folder: Path) -> DataSet:
    folders = sorted(path for path in folder.iterdir()
                     if path.is_dir() and not path.name.startswith("."))
    known = _Checked()
    for label, path in enumerate(folders):
        entries = [entry for entry in path.iterdir() if _is_video(entry)]
        if not entries:
            raise DataError("the class has no videos", where=path,
                            wanted="files that end in " + ", ".join(SUFFIXES)
                            + ", or folders of frames")
        for entry in sorted(entries, key=lambda entry: natural_order(entry.name)):
            name = entry.name if entry.is_dir() else without_suffix(entry.name)
            known.add(Video(f"{path.name}/{name}", label), str(entry))
    if not folders:
        raise DataError("the folder has neither lists nor a folder for each class", where=folder,
                        wanted=f"{CLASSES}, <class>_test_split1.txt, or folders of videos")
    return DataSet("class folders", [path.name for path in folders],
                   {1: {"train": known.videos, "test": []}})


def _is_video(path: Path) -> bool:
    if path.is_dir():
        list_frames(path)  # raises: a folder without frames is a mistake
        return True
    return path.suffix.lower() in SUFFIXES


def _data_set(kind: str, classes: list[str], splits: dict[int, Split], folder: Path) -> DataSet:
    """Return the data set, if its splits can be used."""
    if not splits:
        raise DataError("there are no lists of videos beside the classes", where=folder,
                        wanted="trainlist01.txt and testlist01.txt")
    for number, split in splits.items():
        _check_apart(split, f"{folder}, split {number}")
        for part, videos in split.items():
            if not videos:
                raise DataError(f"split {number} has no videos for this part", where=folder,
                                got=part)
    return DataSet(kind, classes, dict(sorted(splits.items())))


def _check_apart(split: Split, where: str) -> None:
    known: dict[str, str] = {}
    for part, videos in split.items():
        for video in videos:
            other = known.setdefault(video.name, part)
            if other != part:
                raise DataError(f"a video is in {other} and in {part}", where=where,
                                got=video.name)


class _Checked:
    """Videos of one list, each once."""

    def __init__(self) -> None:
        self.videos: list[Video] = []
        self._places: dict[str, str] = {}

    def add(self, video: Video, where: str) -> None:
        """Add a video that stands at ``where``.

        Raises:
            DataError: it is there already, or its name cannot stand in a list.
        """
        if not is_name(video.name):
            raise DataError("the name cannot stand in a list", where=where, got=video.name)
        other = self._places.setdefault(video.name, where)
        if other is not where:
            raise DataError("the video is listed twice", where=where, got=video.name,
                            wanted=f"once; it is at {other} too")
        self.videos.append(video)


def _lines(path: Path, what: str) -> Iterable[tuple[str, str]]:
    """Yield place and content of the lines that are not empty."""
    for number, line in enumerate(read_text(path, what).split("\n"), start=1):
        if line.strip():
            yield f"{path}:{number}", line.strip()
