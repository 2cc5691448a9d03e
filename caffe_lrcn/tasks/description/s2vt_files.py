"""S2VT's data on disk: HDF5 files of 1000 rows, and lists of videos and of frames.

Source: the writer of S2VT's framefc7_stream_text_to_hdf5_data.py.
"""
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import h5py
import numpy as np

from ...hdf5_files import new_hdf5
from ...language.streams import Pair
from ...language.vocabulary_card import stamp
from .feature_files import Features
from .frame_source import Frames
from .s2vt import FILE_ROWS, Clip, Layout
from .video_recipe import LIST, Target


def write_s2vt(target: Target, pairs: Sequence[Pair], seen: Features | Frames) -> str:
    """Write the files of a split; return in words what was done to make clips fit.

    There are ``batch_<k>.h5`` with the streams, float32 (with ``strict`` float64 as the original),
    and the features ``frame_fc7`` unless the net reads pictures; ``hdf5_chunk_list.txt``;
    ``vidid_order_<N>_<T>.txt`` with video, words, frames and their sum, in the order of the
    streams; and, where the net reads pictures, ``video_list.txt`` and ``frame_list.txt``.

    Args:
        target: where, and how.
        pairs: videos and words, a multiple of the streams.
        seen: what the net sees of the videos.
    """
    recipe = target.recipe
    whole = [Clip(pair.path, seen.counts[pair.path],
                  pair.words[::-1] if recipe.reverse else pair.words) for pair in pairs]
    layout = Layout([clip.fitted(recipe.timesteps) for clip in whole], recipe.streams,
                    recipe.timesteps, recipe.strict)
    _write_batches(target, layout, None if isinstance(seen, Frames) else seen)
    target.write_list(f"vidid_order_{recipe.streams}_{recipe.timesteps}.txt",
                      (f"{clip.video}\t{len(clip.words)}\t{clip.frames}\t"
                       f"{len(clip.words) + clip.frames}" for clip in whole))
    if isinstance(seen, Frames):
        target.write_list("video_list.txt", (f"{clip.video} 0" for clip in layout.clips))
        if all(seen.pictures(video) for video in {clip.video for clip in layout.clips}):
            target.write_list("frame_list.txt", _frame_lines(layout, seen))
    pairs_of_clips = list(zip(layout.clips, whole, strict=True))
    fewer = sum(clip.frames < before.frames for clip, before in pairs_of_clips)
    shorter = sum(len(clip.words) < len(before.words) for clip, before in pairs_of_clips)
    return (f"{fewer} with fewer frames and {shorter} with fewer words to fit {recipe.timesteps} "
            "steps")


def _write_batches(target: Target, layout: Layout, features: Features | None) -> None:
    names, begin = [], time.monotonic()
    for number, start in enumerate(range(0, layout.rows, FILE_ROWS)):
        end = min(start + FILE_ROWS, layout.rows)
        names.append(target.final / f"batch_{number}.h5")
        with new_hdf5(target.folder / names[-1].name) as file:
            _write_rows(file, layout, features, start, end)
            file["buffer_size"] = np.array([layout.streams])
            stamp(file, target.vocabulary)
        left = (time.monotonic() - begin) * (layout.rows - end) / end
        target.report(f"{end} of {layout.rows} rows written"
                      + (f", {left:.0f} s left" if left > 5 else ""))
    target.write_list(LIST, names)


def _write_rows(file: h5py.File, layout: Layout, features: Features | None, start: int,
                end: int) -> None:
    """Write rows ``start`` to ``end`` of all streams as data sets of a file."""
    steps = layout.timesteps
    for number in range(start // steps, -(-end // steps)):
        arrays = layout.arrays(number)
        if features is not None:
            arrays["frame_fc7"] = np.zeros((steps, layout.streams, features.width), np.float32)
            for stream, clip in enumerate(layout.of_round(number)):
                arrays["frame_fc7"][:clip.frames, stream] = features.read(clip.video)[:clip.frames]
        low, high = max(start, number * steps), min(end, (number + 1) * steps)
        for name, values in arrays.items():
            if name not in file:
                file.create_dataset(name, (end - start, *values.shape[1:]),
                                    np.float64 if layout.strict else np.float32)
            file[name][low - start:high - start] = values[low - number * steps:
                                                          high - number * steps]


def _frame_lines(layout: Layout, seen: Frames) -> Iterator[str]:
    """Yield a picture and a label for each row: step t of stream n of a round is line ``t N + n``.

    The label is 1 for a frame; rows of words and padding have the first frame and 0.
    """
    for number in range(layout.rounds):
        clips = layout.of_round(number)
        pictures = [seen.pictures(clip.video) or [] for clip in clips]
        for step in range(layout.timesteps):
            for clip, files in zip(clips, pictures, strict=True):
                yield f"{files[step]} 1" if step < clip.frames else f"{files[0]} 0"
