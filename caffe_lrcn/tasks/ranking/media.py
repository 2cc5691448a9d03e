"""Pictures and clips for a web page: where they are, and in a form that every browser shows."""
from __future__ import annotations

import io
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...language.text_files import is_name
from ...paths import stays_below
from ...sources.folder import ENDINGS
from ...sources.frame_folders import list_frames, read_about
from ...sources.picture_file import open_picture
from ...sources.video_file import SUFFIXES, VideoFile, import_av

#: Pictures that browsers show: suffix -> type.
_PICTURES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jpe": "image/jpeg",
             ".jfif": "image/jpeg", ".png": "image/png", ".gif": "image/gif",
             ".webp": "image/webp", ".bmp": "image/bmp"}
#: Videos that browsers play, if their codec is one of those below.
_VIDEOS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm"}
_CODECS = ("h264", "vp8", "libvpx", "vp9", "libvpx-vp9", "av1", "libdav1d", "libaom-av1")
_PIXELS = ("yuv420p", "yuvj420p")
_LONGEST_SIDE = 640  # of a clip that is converted, pixels
_RATE = 25.0         # pictures per second where a clip does not say


class MediaFolder:
    """A folder with pictures, video files or folders of frames, and with folders of them.

    Args:
        path: the folder.

    Raises:
        DataError: there is no such folder.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise DataError("there is no such folder of pictures or clips", where=path)
        self.path = path
        self._named: dict[str, list[str]] = defaultdict(list)
        for folder, folders, files in os.walk(path):
            shown = [name for name in files if name.lower().endswith((*ENDINGS, *SUFFIXES))]
            for name in [*folders, *shown]:
                self._add(name, os.path.relpath(os.path.join(folder, name), path))

    def _add(self, name: str, place: str) -> None:
        stem = os.path.splitext(name)[0]
        digits = "".join(c if c.isdecimal() and c.isascii() else " " for c in stem).split()
        # An id is the last number of a name where 'caption --json' has no references.
        for key in {name, stem, *(str(int(number)) for number in digits[-1:])}:
            self._named[key].append(place)

    def find(self, key: str, name: str | None = None) -> str:
        """Return the path of an item below the folder.

        Args:
            key: how captions call it: a path below the folder, a file name, one without its
                suffix, or the last number in one.
            name: its file name, if it is known.

        Raises:
            DataError: it is missing, or several files could be meant.
        """
        wanted = key if name is None else name
        place = os.path.normpath(wanted)
        if place != "." and stays_below(place) and is_name(place) and (self.path / place).exists():
            return place
        found = self._named.get(wanted, [])
        exact = [place for place in found
                 if wanted in (os.path.basename(place),
                               os.path.splitext(os.path.basename(place))[0])]
        found = exact or found
        if len(found) == 1:
            return found[0]
        raise DataError(
            f"the picture or clip '{wanted}' is missing" if not found else
            f"several pictures or clips could be '{wanted}'", where=self.path,
            got=" and ".join(sorted(found)[:2]) or None,
            remedy="Check --media. For COCO's numbers give --ids, the captions file that has them "
                   "with the names of the files.")


def check_media(folder: Path, places: Sequence[str]) -> None:
    """See that all pictures and clips of a study are in a folder, and PyAV if one needs it.

    Raises:
        DataError: they are not.
    """
    for place in places:
        path = folder / place
        if not path.exists():
            raise DataError("a picture or clip of the study is missing", where=path,
                            remedy="Check --media.")
        if path.is_dir() or path.suffix.lower() not in {*ENDINGS, *_VIDEOS}:
            import_av()


class Converter:
    """Pictures and clips in a form that browsers show; what is converted is kept in a folder."""

    def __init__(self, scratch: Path) -> None:
        self._scratch, self._lock = scratch, threading.Lock()
        self._done: dict[Path, tuple[Path, str]] = {}

    def for_browsers(self, path: Path) -> tuple[Path, str]:
        """Return a file and its type.

        Raises:
            DataError: the picture or clip is missing or damaged.
        """
        kind = shown_as_is(path)
        if kind is not None:
            return path, kind
        with self._lock:  # one at a time: the machine may have few cores
            if path not in self._done:
                target = self._scratch / str(len(self._done))
                self._done[path] = target, convert(path, target)
        return self._done[path]

    def prepare(self, path: Path) -> None:
        """Convert a picture or clip in the background, so that it is there when it is asked for."""
        def work() -> None:
            with suppress(DataError, OSError):  # told when it is asked for
                self.for_browsers(path)

        threading.Thread(target=work, daemon=True).start()


def is_clip(path: Path) -> bool:
    """Tell whether a page plays this file or folder, rather than showing it as a picture."""
    return path.is_dir() or path.suffix.lower() not in ENDINGS


def shown_as_is(path: Path) -> str | None:
    """Return the type of a file that browsers show; None if it has to be converted.

    Raises:
        DataError: it is a video that cannot be read.
    """
    suffix = path.suffix.lower()
    if path.is_dir() or suffix not in {*_PICTURES, *_VIDEOS}:
        return None
    if suffix in _PICTURES:
        return _PICTURES[suffix]
    try:
        import_av()
    except DataError:
        return _VIDEOS[suffix]  # as nearly all are
    with VideoFile(path) as video:
        return _VIDEOS[suffix] if video.codec in _CODECS and video.pixels in _PIXELS else None


def convert(path: Path, target: Path) -> str:
    """Write a picture as PNG, or a clip as WebM (VP8, which all browsers play); return the type.

    Clips are made smaller if they are larger than 640 pixels, and lose their sound.

    Raises:
        DataError: the file is missing or damaged, or the clip cannot be converted.
    """
    if not is_clip(path):
        with open_picture(path) as picture:
            memory = io.BytesIO()
            picture.convert("RGB").save(memory, "PNG")
        target.write_bytes(memory.getvalue())
        return "image/png"
    try:
        if path.is_dir():
            about = read_about(path)
            _encode(_folder_frames(path), (about.rate if about else None) or _RATE, target)
        else:
            with VideoFile(path) as video:
                rate = video.rate or _RATE
                _encode(video.frames(rate), rate, target)
    except (import_av().FFmpegError, ValueError) as error:  # no VP8, sizes that it cannot have
        raise DataError("the clip cannot be converted to WebM", where=path, got=error) from error
    return "video/webm"


def _folder_frames(folder: Path) -> Iterator[np.ndarray]:
    for name in list_frames(folder):
        with open_picture(folder / name) as picture:
            yield np.asarray(picture.convert("RGB"))[:, :, ::-1]


def _encode(frames: Iterator[np.ndarray], rate: float, target: Path) -> None:
    av = import_av()
    with av.open(str(target), "w", format="webm") as container:
        stream: Any = None
        for pixels in frames:
            if stream is None:
                stream = container.add_stream(
                    "libvpx", rate=Fraction(rate).limit_denominator(1001),
                    options={"deadline": "realtime", "cpu-used": "8"})
                stream.height, stream.width = _size(*pixels.shape[:2])
                stream.pix_fmt, stream.bit_rate = "yuv420p", 2_000_000
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "bgr24")
            container.mux(stream.encode(frame.reformat(stream.width, stream.height, "yuv420p")))
        container.mux(stream.encode())


def _size(height: int, width: int) -> tuple[int, int]:
    """Return height and width of a converted clip: even, as its pixel format asks for."""
    factor = min(1.0, _LONGEST_SIDE / max(height, width))
    return max(2, round(height * factor / 2) * 2), max(2, round(width * factor / 2) * 2)
