"""S2VT's streams: the frames of a video, then the words of its sentence, one step after another.

Source: S2VT's framefc7_stream_text_to_hdf5_data.py.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...language.vocabulary import EOS

#: Rows of one file.
FILE_ROWS = 1000
#: Most words of a sentence that does not fit.
_CUT_WORDS = 20


@dataclass(frozen=True)
class Clip:
    """A video and one of its sentences.

    Args:
        video: its name.
        frames: how many frames are read, F.
        words: ids without the closing ``<EOS>``, L.
    """

    video: str
    frames: int
    words: tuple[int, ...]

    def fitted(self, timesteps: int) -> Clip:
        """Return the clip cut so that F + L + 1 steps are not more than ``timesteps``.

        The last frames go. A sentence that leaves no room for a frame is cut to 20 words first (or
        to what leaves room for one).
        """
        words = self.words
        if len(words) + 2 > timesteps:
            words = words[:min(_CUT_WORDS, timesteps - 2)]
        return Clip(self.video, min(self.frames, timesteps - len(words) - 1), words)

    def encode(self, timesteps: int) -> dict[str, list[int]]:
        """Return the streams of a clip that fits, ``timesteps`` entries each, by data set name.

        The words are predicted in the steps after the last frame. ``cont_img``, ``cont_sen`` and
        ``encoder_to_decoder`` are for nets with an encoder and a decoder of their own.
        """
        frames, words = self.frames, list(self.words)
        count, pads = len(words), timesteps - self.frames - len(words) - 1
        nothing, zeros = [-1] * pads, [0] * pads
        return {
            "cont": [0] + [1] * (timesteps - 1),
            "cont_sentence": [0] + [1] * (frames + count) + zeros,
            "input_sentence": [EOS] * frames + [EOS, *words] + zeros,
            "target_sentence": [-1] * frames + [*words, EOS] + nothing,
            "stage_indicator": [0] * frames + [1] * (timesteps - frames),
            "inv_stage_indicator": [1] * frames + [0] * (timesteps - frames),
            "cont_img": [0] + [1] * (frames - 1) + [0] * (timesteps - frames),
            "cont_sen": [0] * (frames + 1) + [1] * count + zeros,
            "encoder_to_decoder": [0] * (frames - 1) + [1] + [0] * (timesteps - frames)}


@dataclass(frozen=True)
class Layout:
    """How clips lie in rows and streams: clip ``k * streams + n`` is round k of stream n.

    Args:
        clips: a multiple of ``streams``, each of at most ``timesteps`` steps.
        streams: clips side by side, N.
        timesteps: rows of a clip, T, at least 3.
        strict: leave out the rows that the original writer loses: those after the file in which
            the last round begins.
    """

    clips: Sequence[Clip]
    streams: int
    timesteps: int
    strict: bool = False

    @property
    def rounds(self) -> int:
        """Return how many clips follow each other in a stream."""
        return len(self.clips) // self.streams

    @property
    def rows(self) -> int:
        """Return how many rows there are in all files."""
        rows = self.rounds * self.timesteps
        if not self.strict:
            return rows
        # CAFFE-QUIRK: the original stops writing once its source is exhausted.
        return min(rows, ((rows - self.timesteps) // FILE_ROWS + 1) * FILE_ROWS)

    def of_round(self, number: int) -> list[Clip]:
        """Return the clips of a round, one a stream."""
        return list(self.clips[number * self.streams:(number + 1) * self.streams])

    def arrays(self, number: int) -> dict[str, np.ndarray]:
        """Return the streams of a round, (T, N) float32 by data set name."""
        encoded = [clip.encode(self.timesteps) for clip in self.of_round(number)]
        return {name: np.array([values[name] for values in encoded], np.float32).T
                for name in encoded[0]}
