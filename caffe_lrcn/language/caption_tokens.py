"""Caption text to word tokens."""
from __future__ import annotations

import re

# CAFFE-QUIRK: letters beyond ASCII count as punctuation ("café" is "caf" and "é"), because the
# published vocabularies were made that way.
_BETWEEN_WORDS = re.compile(r"(\W+)", re.ASCII)


def tokenize(text: str) -> list[str]:
    """Return the lower-case tokens of a caption; a run of punctuation is one token.

    A full stop that directly follows the last word is dropped: the end of the caption is a token
    of its own (``<EOS>``). One after a space stays a token, as in the published vocabularies.

    Args:
        text: one caption; blanks around it do not matter.

    Returns:
        The tokens; empty for a caption without any.

    Source: the LRCN caption preparation script (``coco_to_hdf5_data.py``).
    """
    pieces = [piece.lower() for piece in _BETWEEN_WORDS.split(text.strip()) if piece.strip()]
    if pieces and pieces[-1] == ".":
        pieces.pop()
    # Blanks inside a run (an ellipsis and a quote, a line break) become one space, so that every
    # token fits on one line of the vocabulary file.
    return [" ".join(piece.split()) for piece in pieces]
