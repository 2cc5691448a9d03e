"""Sentence files of S2VT: a video, a tab and a sentence on each line."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .. import glog
from ..errors import DataError
from .text_files import brief, is_name, read_text

_FORM = "<video><TAB><sentence>"


def is_sentence_file(path: str | Path) -> bool:
    """Tell whether a file holds lines with tabs, not JSON; what is no file (a pipe) does not."""
    if Path(path).suffix == ".json" or not Path(path).is_file():
        return False
    first = next((line for line in read_text(path, "sentences").split("\n") if line.strip()), "")
    return "\t" in first and first.lstrip()[:1] not in ("{", "[")


def read_sentences(path: str | Path) -> Iterator[tuple[str, str, str]]:
    """Yield place, video and sentence of each line; what follows a second tab is left out.

    Blank lines do not count. Lines without a tab are left out, with one warning.

    Raises:
        DataError: the file cannot be read, or what stands before a tab is no name.
    """
    short: list[str] = []
    for where, fields in _lines(path):
        if len(fields) < 2:
            short.append(where)
        else:
            yield where, _video(fields[0], where), fields[1].strip()
    if short:
        glog.warning("%s: %d lines without a tab are left out, the first at %s; wanted %s",
                     path, len(short), short[0], _FORM)


def read_predictions(path: str | Path) -> Iterator[tuple[str, str, str]]:
    """Yield place, video and sentence of each line of predictions: the last two fields.

    A line that repeats a video's sentence is left out.

    Raises:
        DataError: the file cannot be read, a line has no tab, or a video has two sentences.

    Source: create_json_references of the caption-eval scripts.
    """
    known: dict[str, tuple[str, str]] = {}
    for where, fields in _lines(path):
        if len(fields) < 2:
            raise DataError("not a prediction", where=where, got=brief(fields[0]), wanted=_FORM)
        video, sentence = _video(fields[-2], where), fields[-1].strip()
        before = known.setdefault(video, (where, sentence))
        if before[0] == where:
            yield where, video, sentence
        elif before[1] != sentence:
            raise DataError(f"a second sentence for video {video}", where=where,
                            got=brief(sentence), wanted=f"{brief(before[1])} as at {before[0]}",
                            remedy="The original program adds to its file when it runs again.")


def _lines(path: str | Path) -> Iterator[tuple[str, list[str]]]:
    for number, line in enumerate(read_text(path, "sentences").split("\n"), 1):
        if line.strip():
            yield f"{path}:{number}", line.split("\t")


def _video(field: str, where: str) -> str:
    video = field.strip()
    if not is_name(video):
        raise DataError("this is not the name of a video", where=where, got=brief(field),
                        wanted=_FORM)
    return video
