"""From videos to a row of features each: a net that looks at frames from all over the clip."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...backends import Backend, get_backend
from ...errors import DataError, NetError, UsageError
from ...hints import did_you_mean, nearest
from ...net.deploy import input_preprocessing, load_trained
from ...sources.clip_list import look
from ...sources.frame_folders import RGB, list_frames
from ...sources.picture import read_picture
from ...sources.video_file import VideoFile
from ..progress import Progress

Report = Callable[[str], None]


def spread_frames(count: int, length: int) -> np.ndarray:
    """Return which frames stand for a video: ``length`` of them, evenly over ``count``, from 0.

    They are the middles of parts of the same length; of a shorter video some come more than once.
    """
    return (2 * np.arange(length) + 1) * count // (2 * length)


class ClipNet:
    """A net that turns clips of T frames into features.

    Args:
        prototxt: deploy definition with the inputs (T*N, 3, H, W) and (T, N): frames, frame t of
            clip n in row t * N + n, and the markers of clips, 0 at each first frame and 1 after.
        weights: trained weights; layers match by name.
        blob: (N, F), or (T, N, F), of which the mean over the frames is taken; None: the net's
            only output.
        backend: where to run; the CPU by default.

    Raises:
        NetError: the net has other inputs or outputs.
        UsageError: it has no such blob.
        WeightsError: the weights do not fit.
    """

    def __init__(self, prototxt: str | os.PathLike[str], weights: str | os.PathLike[str],
                 blob: str | None = None, backend: Backend | None = None) -> None:
        self._net = load_trained(prototxt, weights, (), backend or get_backend("cpu"))
        shapes = [self._net.blobs[name].shape for name in self._net.inputs]
        if [len(shape) for shape in shapes] != [4, 2] or shapes[0][0] != np.prod(shapes[1]):
            raise NetError("the net does not take clips", where=prototxt,
                           got=f"inputs {dict(zip(self._net.inputs, shapes, strict=True))}",
                           wanted="frames (T*N, 3, H, W) and markers of clips (T, N)")
        self.length, self._batch = shapes[1]
        self._shape = shapes[0][1:]
        self._blob = self._find(blob, prototxt)
        self._preprocessing = input_preprocessing(self._net)

    def features(self, videos: Sequence[str | os.PathLike[str]],
                 report: Report = lambda line: None) -> np.ndarray:
        """Return (N, F) features of videos: files, or folders of frames.

        Args:
            videos: the paths.
            report: takes lines of progress.

        Raises:
            DataError: a video is missing, damaged, or does not fit the net.
        """
        rows, progress = [], Progress(len(videos), "videos", report)
        for start in range(0, len(videos), self._batch):
            clips = np.stack([self._load(path) for path in videos[start:start + self._batch]], 1)
            rows.append(self._of_clips(self._run(clips), clips.shape[1]))
            progress.step(clips.shape[1])
        return np.concatenate(rows)

    def frame_features(self, videos: Sequence[str | os.PathLike[str]],
                       report: Report = lambda line: None) -> Iterator[np.ndarray]:
        """Yield the (T, F) features of the T frames of each video.

        Arguments and errors are those of ``features``; the blob must be (T, N, F) or (T*N, F).
        """
        progress = Progress(len(videos), "videos", report)
        for start in range(0, len(videos), self._batch):
            clips = np.stack([self._load(path) for path in videos[start:start + self._batch]], 1)
            found = self._run(clips)
            wanted = self.length, self._batch
            if found.shape[:-1] not in (wanted, (wanted[0] * wanted[1],)):
                raise NetError(f"blob '{self._blob}' does not have a row for each frame",
                               got=f"shape {found.shape} of {self._batch} clips",
                               wanted=f"({self.length}, {self._batch}, F)")
            yield from found.reshape(*wanted, -1)[:, :clips.shape[1]].swapaxes(0, 1)
            progress.step(clips.shape[1])

    def _run(self, clips: np.ndarray) -> np.ndarray:
        """Return the blob, of (T, N, C, H, W) frames; N may be less than the net's."""
        count = clips.shape[1]
        frames, markers = (self._net.blobs[name] for name in self._net.inputs)
        batch = frames.host_data.reshape(self.length, self._batch, *self._shape)
        batch[:, :count], batch[:, count:] = clips, 0  # a smaller batch would be another net
        markers.host_data[...] = 1
        markers.host_data[0] = 0
        self._net.forward()
        return np.array(self._net.blobs[self._blob].read_data())

    def _of_clips(self, found: np.ndarray, count: int) -> np.ndarray:
        """Return the (N, F) features of the first ``count`` clips in a blob."""
        if found.ndim == 3 and found.shape[:2] == (self.length, self._batch):
            found = found.mean(axis=0)
        if found.ndim != 2 or len(found) != self._batch:
            raise NetError(f"blob '{self._blob}' does not have a row for each clip",
                           got=f"shape {found.shape} of {self._batch} clips",
                           wanted=f"({self._batch}, F) or ({self.length}, {self._batch}, F)")
        return found[:count]

    def _load(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Return the (T, C, H, W) frames of a video as the net takes them."""
        try:
            found = look(os.fspath(path), RGB, None)[0]
            wanted = spread_frames(found.count, self.length)
            prepared = {number: self._prepare(pixels) for number, pixels in
                        (_decode if found.is_file else _read)(found.path, {*wanted.tolist()})}
            return np.stack([prepared[number] for number in wanted.tolist()])
        except DataError as error:
            error.where = error.where or path
            raise

    def _prepare(self, pixels: np.ndarray) -> np.ndarray:
        picture = self._preprocessing(pixels)
        if picture.shape != tuple(self._shape):
            raise DataError("the frames do not fit the net's input", got=picture.shape,
                            wanted=tuple(self._shape), remedy="Let the net's Input layer give "
                            "new_height and new_width")
        return picture

    def _find(self, blob: str | None, prototxt: str | os.PathLike[str]) -> str:
        if blob is None:
            if len(self._net.outputs) != 1:
                raise NetError("the net has several outputs", where=prototxt,
                               got=", ".join(self._net.outputs), remedy="Name one with --blob")
            return self._net.outputs[0]
        if blob not in self._net.blobs:
            raise UsageError("the net has no such blob", where=prototxt, got=blob,
                             remedy=did_you_mean(nearest(blob, self._net.blobs)))
        return blob


def _decode(path: str, wanted: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    with VideoFile(path) as file:
        for number, pixels in enumerate(file.frames()):
            if number in wanted:
                yield number, pixels
            if number == max(wanted):
                return
    raise DataError("the video ends earlier than was counted", where=path,
                    got=f"no frame {max(wanted) + 1}",
                    remedy="Make a folder of frames: caffe-lrcn data frames")


def _read(path: str, wanted: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    names = list_frames(Path(path))
    for number in wanted:
        yield number, read_picture(os.path.join(path, names[number]))
