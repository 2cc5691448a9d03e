"""Mean pooling's data on disk: streams of words, and the mean features of each stream's videos.

Source: the data script of the mean-pooling release (``youtube``), whose nets read both.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import UsageError
from ...hdf5_files import new_hdf5
from ...language.streams import Layout, Pair
from ...language.vocabulary_card import stamp
from .feature_files import Features, pooled
from .frame_source import Frames
from .s2vt import FILE_ROWS
from .video_recipe import LIST, Target

_STREAMS = ("cont", "cont_sentence", "input_sentence", "target_sentence", "buffer_size")


def write_poolmean(target: Target, pairs: Sequence[Pair], seen: Features | Frames) -> str:
    """Write the files of a split; return in words what was done to make sentences fit.

    There are ``batch_<k>.h5`` with the words (rows, N) and their list ``hdf5_chunk_list.txt``;
    ``mean_fc7_<k>.h5`` with ``mean_fc7`` (rows, W) and their list ``mean_fc7_list.txt``. Rows N k
    to N k + N - 1 of the means belong to rows T k to T k + T - 1 of the words.

    Args:
        target: where, and how.
        pairs: videos and words, a multiple of the streams.
        seen: the features of the videos.
    """
    if isinstance(seen, Frames):
        raise UsageError("mean pooling reads features", wanted="--features FILE")
    recipe, most = target.recipe, target.recipe.timesteps - 1
    # The end of a sentence that is cut stays.
    layout = Layout([replace(pair, words=pair.words[:most]) for pair in pairs], recipe.streams,
                    recipe.timesteps, FILE_ROWS, recipe.strict)
    names = []
    for number, arrays in enumerate(layout.files()):
        names.append(target.final / f"batch_{number}.h5")
        with new_hdf5(target.folder / names[-1].name) as file:
            for name in _STREAMS:
                # Unlike in the streams of pictures' captions there is a word, 0, in padding.
                file[name] = (np.maximum(arrays[name], 0) if name == "input_sentence"
                              else arrays[name])
            stamp(file, target.vocabulary)
    target.write_list(LIST, names)
    means = []
    for number, start in enumerate(range(0, len(pairs), FILE_ROWS)):
        part = pairs[start:start + FILE_ROWS]
        means.append(target.final / f"mean_fc7_{number}.h5")
        with new_hdf5(target.folder / means[-1].name) as file:
            file["mean_fc7"] = pooled(seen, [pair.path for pair in part])
        target.report(f"{start + len(part)} of {len(pairs)} means written")
    target.write_list("mean_fc7_list.txt", means)
    return f"{sum(len(pair.words) > most for pair in pairs)} cut to {most} words"
