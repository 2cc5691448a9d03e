"""Data sets of videos and sentences on disk: S2VT's layout, and that of mean pooling."""
from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from ...files import new_folder, sync
from ...language.caption_files import Caption
from ...language.streams import Pair, align
from ...language.vocabulary import UNKNOWN, Vocabulary
from ...memory import amount
from ..captioning import conversion
from ..captioning.prepare import Report, check_same, conversion_entry, write_vocabulary
from .feature_files import Features
from .frame_source import Frames
from .mean_pool import write_poolmean
from .s2vt_files import write_s2vt
from .video_recipe import POOLMEAN, S2VT, Target, VideoRecipe


@dataclass(frozen=True)
class Split:
    """Sentences, and what the net sees of their videos."""

    sentences: Sequence[Caption]
    seen: Features | Frames


def write_video_data_set(recipe: VideoRecipe, splits: Mapping[str, Split], report: Report,
                         vocabulary: Vocabulary | None = None, min_count: int = 1) -> Vocabulary:
    """Write the vocabulary and the streams of some splits; return the vocabulary.

    Args:
        recipe: what the streams look like, and where they go.
        splits: name -> its sentences and videos.
        report: receives a line for each step, and warnings.
        vocabulary: use this one; by default it is made from the first split, and written.
        min_count: a word of the vocabulary that is made occurs at least so often.

    Raises:
        DataError: output exists and is not to be replaced, a file cannot be written, or a video
            has no features.
        UsageError: a vocabulary exists and is not to be replaced.

    Source: the data scripts of S2VT and of the mean-pooling release.
    """
    recipe.refuse_existing(*(recipe.folder(split) for split in splits))
    usable = {name: tokenized(recipe, split, report) for name, split in splits.items()}
    _check_disk(recipe, sum(len(found) * splits[name].seen.width for name, found in usable.items()
                            if not recipe.folder(name).exists()))
    if vocabulary is None:
        first = next(iter(usable.values()))
        vocabulary = write_vocabulary(recipe, Vocabulary.from_captions(
            [tokens for _, tokens in first], min_count))
    for name, found in usable.items():
        if recipe.resume and recipe.folder(name).exists():
            check_same(recipe, name, vocabulary, report)
            report(f"{name}: is there already, in {recipe.folder(name)}")
        else:
            _write_split(recipe, name, found, splits[name].seen, vocabulary, report)
    return vocabulary


def tokenized(recipe: VideoRecipe, split: Split, report: Report) -> list[tuple[str, list[str]]]:
    """Return (video, tokens) of each usable sentence.

    Sentences without words are left out, with one warning.

    Raises:
        DataError: a video has no features (unless those are left out), or nothing is left.
    """
    usable, blank, missing, odd = [], [], [], []
    for sentence in split.sentences:
        tokens, video = recipe.split_words(sentence.text), _video_of(sentence, split.seen)
        if video is None:
            missing.append(sentence)
        elif not tokens:
            blank.append(sentence)
        else:
            usable.append((video, tokens))
            if any(token != token.lower() or not token[-1].isalnum() for token in tokens):
                odd.append(sentence)
    if missing and not recipe.skip_missing:
        count = len({sentence.picture for sentence in missing})
        raise DataError(f"video '{missing[0].picture}' has no features" if count == 1 else
                        f"{count} videos have no features, the first '{missing[0].picture}'",
                        where=missing[0].where, wanted=f"a video of {split.seen.path}",
                        remedy="Leave such sentences out with --skip-missing.")
    for found, what in ((missing, "of videos without features"), (blank, "without words")):
        if found:
            report(f"warning: skipped {len(found)} sentences {what}, the first of "
                   f"{found[0].picture} at {found[0].where}")
    if odd and recipe.split_words is str.split:
        report(f"warning: {len(odd)} sentences have capitals or punctuation, which become parts "
               f"of words, the first at {odd[0].where}; --tokenize takes them off")
    if not usable:
        raise DataError("no sentence is left", got=f"{len(missing)} of videos without features, "
                        f"{len(blank)} without words")
    return usable


def _video_of(sentence: Caption, seen: Features | Frames) -> str | None:
    """Return what a sentence's video is called in the features; None if it has none there.

    COCO's form may name the file of a video whose features have the name of its stem.
    """
    return next((name for name in (sentence.picture, sentence.key, Path(sentence.picture).stem)
                 if name in seen.counts), None)


def _write_split(recipe: VideoRecipe, split: str, usable: Sequence[tuple[str, list[str]]],
                 seen: Features | Frames, vocabulary: Vocabulary, report: Report) -> None:
    pairs = align([Pair(video, tuple(vocabulary.ids(tokens))) for video, tokens in usable],
                  recipe.streams, recipe.seed)
    folder = recipe.folder(split)
    # A folder that has its name is whole: --resume relies on it.
    with new_folder(folder, DataError, "the streams",
                    "Make room on the disk, or use another --out.") as partial:
        write = {S2VT: write_s2vt, POOLMEAN: write_poolmean}[recipe.layout]
        what = write(Target(recipe, partial, folder, vocabulary,
                            lambda done: report(f"{split}: {done}")), pairs, seen)
        for path in partial.iterdir():
            sync(str(path))
        conversion.write(recipe.out, folder, conversion_entry(recipe, vocabulary))
    unknown = sum(word == UNKNOWN for pair in pairs for word in pair.words)
    report(f"{split}: {len({pair.path for pair in pairs})} videos, {len(usable)} sentences "
           f"({len(pairs) - len(usable)} repeated to fill the streams, {unknown} unknown words; "
           f"{what}) in {folder}")


def _check_disk(recipe: VideoRecipe, numbers: int) -> None:
    """Find out before the work whether the disk has room for features that repeat.

    Args:
        recipe: what is written.
        numbers: of a frame of each sentence, all in all.
    """
    steps = recipe.timesteps if recipe.layout == S2VT else 1
    wanted = numbers * steps * (8 if recipe.strict else 4)
    place = next(path for path in (recipe.out, *recipe.out.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if wanted > free:
        raise DataError("the streams do not fit on the disk", where=recipe.out,
                        got=f"{amount(free)} free", wanted=amount(wanted))
