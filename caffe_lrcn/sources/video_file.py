"""Video files, decoded picture by picture through PyAV (extra ``video``)."""
from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from ..errors import DataError
from ..hints import install

if TYPE_CHECKING:
    import av

#: Names of video files end like this, in any case.
SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".mpg", ".mpeg", ".webm", ".m4v", ".wmv", ".flv",
            ".ogv", ".3gp", ".ts")
_WHOLE = 0.9  # of what the header promises; less means that the file was cut off
#: Formats whose header has no number of pictures, but how long the file is.
_TIMED = ("matroska,webm", "flv")


class _Timed(Protocol):
    @property
    def time(self) -> float | None: ...


_A = TypeVar("_A")
_T = TypeVar("_T", bound=_Timed)


class VideoFile:
    """An open video file; a context manager.

    Args:
        path: the file.
        threads: that decode it; 0: as many as FFmpeg wants. One takes less of the machine's time
            where a few pictures are wanted, or several files are read at once.

    Attributes:
        path: the file.
        rate: pictures per second; None if the file does not say.
        promised: number of pictures that the header promises; None if it does not say.
        codec, pixels: names of the codec and of the format of its pixels, such as ``yuv420p``.

    Raises:
        DataError: the file is missing, not a video, damaged, or has no pictures; or PyAV is not
            installed.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 0) -> None:
        self.path = os.fspath(path)
        self._av = import_av()
        self._container = self._open()
        streams = self._container.streams.video
        if not streams:
            sound = bool(self._container.streams.audio)
            self.close()
            raise DataError(f"'{self.path}' has no pictures", got="sound" if sound else "nothing",
                            wanted="a video stream")
        self._stream = streams[0]
        self._stream.thread_type, self._stream.thread_count = "AUTO", threads
        self._pixels = _Pixels(self._av)
        self.rate = float(self._stream.average_rate) if self._stream.average_rate else None
        self.promised = self._stream.frames or None
        self.codec, self.pixels = self._stream.codec_context.name, self._stream.pix_fmt
        self._end = 0.0  # of what was read, in seconds; sound may go on after the last picture

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def frames(self, rate: float | None = None) -> Iterator[np.ndarray]:
        """Yield the pictures, (H, W, 3) uint8, blue, green, red, turned upright.

        Args:
            rate: pictures per second; picture k is the one shown at k / rate seconds, so that
                pictures are repeated or left out. None: each picture once.

        Raises:
            DataError: the file is damaged, or ends before the pictures that its header promises.
                What was yielded before is right.
        """
        return map(self._pixels, self._shown(self._decoded(), rate))

    def pick(self, numbers: Iterable[int], rate: float | None = None) -> Iterator[np.ndarray]:
        """Yield some of the pictures, as ``frames`` would; only these are turned into arrays.

        Args:
            numbers: of the pictures, from 0; they never fall. The last picture before the end of
                the video is the last that comes.
            rate: as for ``frames``.

        Raises:
            DataError: as ``frames``.
        """
        shown, last = self._shown(self._decoded(), rate), -1
        pixels: np.ndarray | None = None
        for number in numbers:
            if number > last:
                frame = next(islice(shown, number - last - 1, None), None)
                if frame is None:
                    return
                pixels, last = self._pixels(frame), number
            assert pixels is not None
            yield pixels

    def length(self, rate: float | None = None) -> int:
        """Return how many pictures ``frames`` yields, which is counted without decoding them.

        Nothing can be read from this object afterwards.

        Raises:
            DataError: the file is damaged, or ends too early.
        """
        packets = [packet for packet in self._checked(self._packets())
                   if packet.size and not packet.is_discard]
        self._check_whole(len(packets))
        moments = [packet.dts if packet.pts is None else packet.pts for packet in packets]
        if None not in moments:
            moments.sort()
        shown = (_Moment(None if at is None else float(at * self._stream.time_base))
                 for at in moments)
        return sum(1 for _ in self._shown(shown, rate))

    def _shown(self, pictures: Iterable[_T], rate: float | None) -> Iterator[_T]:
        """Yield each picture once, or as often as it is shown at a rate."""
        if rate is None:
            yield from pictures
            return
        # Times are rounded to places of the new rate; the last picture of a place is shown there
        # and in the places after it that have none. Source: ffmpeg's filter fps, round=near.
        place, shown, first, time = 0, None, None, 0.0
        for frame in pictures:
            time = self._time(frame, place, rate)
            first = time if first is None else first
            while shown is not None and place < _place(time - first, rate):
                yield shown
                place += 1
            shown = frame
        assert shown is not None and first is not None  # else _decoded has raised an error
        end = time - first + 1 / (self.rate or rate)
        for _ in range(place, max(_place(end, rate), 1)):
            yield shown

    def _time(self, frame: _Timed, place: int, rate: float) -> float:
        return frame.time if frame.time is not None else place / rate

    def _decoded(self) -> Iterator[av.VideoFrame]:
        count = 0
        for frame in self._checked(frame for packet in self._packets()
                                   for frame in packet.decode()):
            yield frame
            count += 1
        self._check_whole(count)

    def _packets(self) -> Iterator[av.Packet]:
        """Yield the packets of the pictures, and note how far the file goes."""
        for packet in self._container.demux():
            time = packet.dts if packet.pts is None else packet.pts
            if time is not None:
                time += packet.duration or 0
                self._end = max(self._end, float(time * packet.time_base))
            if packet.stream_index == self._stream.index:
                yield packet

    def _checked(self, items: Iterator[_A]) -> Iterator[_A]:
        count = 0
        try:
            for item in items:
                yield item
                count += 1
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise DataError(f"'{self.path}' is damaged after picture {count}", got=error) from None

    def _check_whole(self, count: int) -> None:
        if not count:
            raise DataError(f"'{self.path}' has no pictures that can be decoded")
        if self.promised and count < _WHOLE * self.promised:
            raise DataError(f"'{self.path}' ends too early", got=f"{count} pictures",
                            wanted=f"the {self.promised} that its header promises")
        container = self._container
        if container.format.name in _TIMED and container.duration and not self.promised:
            end = (container.duration + (container.start_time or 0)) / self._av.time_base
            if self._end < _WHOLE * end:
                raise DataError(f"'{self.path}' ends too early", got=f"{self._end:.1f} seconds",
                                wanted=f"the {end:.1f} that its header promises")

    def _open(self) -> Any:
        try:
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise DataError(f"'{self.path}' cannot be read as a video",
                                got="a folder, a pipe or a device")
            # A playlist must not make FFmpeg fetch what it names.
            return self._av.open(f"file:{self.path}", options={"protocol_whitelist": "file"})
        except DataError:
            raise
        except FileNotFoundError:
            raise DataError(f"video '{self.path}' is missing") from None
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise DataError(f"'{self.path}' cannot be read as a video",
                            got=getattr(error, "strerror", None) or error) from None


@dataclass(frozen=True, slots=True)
class _Moment:
    """When a picture is shown, which is all that counting asks of it."""

    time: float | None


def _place(seconds: float, rate: float) -> int:
    return int(seconds * rate + 0.5)


class _Pixels:
    """Turns decoded pictures into arrays, (H, W, 3) uint8, blue, green, red, turned upright.

    PyAV would set up a conversion, and start a thread per core, for each picture; that takes
    longer than to decode a small one.
    """

    def __init__(self, av: Any) -> None:
        self._reformat = av.video.reformatter.VideoReformatter().reformat
        self._options = {"threads": 1} if int(av.__version__.partition(".")[0]) >= 17 else {}

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        pixels: np.ndarray = self._reformat(frame, format="bgr24", **self._options).to_ndarray()
        return np.rot90(pixels, frame.rotation // 90) if frame.rotation % 360 else pixels


def import_av() -> Any:
    """Return PyAV.

    Raises:
        DataError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise DataError("video files are read and written through PyAV, which is not installed",
                        remedy=install("video")) from error
    av.logging.set_level(None)  # FFmpeg's own lines; what matters becomes an error
    return av
