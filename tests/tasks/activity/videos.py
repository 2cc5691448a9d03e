"""Small video files for tests."""
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_video(path: Path, frames: np.ndarray, rate: int = 10, times: list[int] | None = None,
                codec: str = "ffv1", pixels: str = "bgr0") -> Path:
    """Write (T, H, W, 3) uint8 pictures, blue, green, red; ffv1 loses nothing.

    Args:
        times: when each picture is shown, in ``1 / rate`` seconds; one after another by default.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        for index, pixels_of_frame in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels_of_frame), "bgr24")
            frame.pts = times[index] if times else index
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path, seconds: int = 1, beside: np.ndarray | None = None) -> Path:
    """Write a file with sound, and with pictures of 0.1 s each where they are given."""
    with av.open(str(path), "w") as container:
        pictures = [] if beside is None else list(beside)
        if pictures:
            video = container.add_stream("ffv1", rate=10)
            video.height, video.width, video.pix_fmt = *pictures[0].shape[:2], "bgr0"
        sound = container.add_stream("pcm_s16le", rate=8000)
        for index, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(video.encode(frame))
        if pictures:
            container.mux(video.encode())
        for index in range(10 * seconds):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            frame.rate, frame.pts, frame.time_base = 8000, 800 * index, Fraction(1, 8000)
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def levels(count: int, height: int = 24, width: int = 32) -> np.ndarray:
    """Return pictures of one grey level each, 10, 20, …, (T, H, W, 3)."""
    grey = np.arange(1, count + 1, dtype=np.uint8) * 10
    return np.broadcast_to(grey[:, None, None, None], (count, height, width, 3))
