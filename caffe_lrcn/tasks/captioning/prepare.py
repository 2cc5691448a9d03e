"""One data set on disk: vocabulary, stream files and picture lists of a split."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import DataError, UsageError
from ...files import new_folder, sync, writing
from ...hdf5_files import new_hdf5
from ...language.caption_files import Caption
from ...language.caption_tokens import tokenize
from ...language.streams import Layout, Pair, align
from ...language.vocabulary import Vocabulary
from ...language.vocabulary_card import stamp
from . import conversion

Report = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What the streams of a data set look like.

    Args:
        out: folder of the data set.
        streams: captions side by side.
        timesteps: rows of an aligned caption.
        aligned: pad and cut captions to ``timesteps``, so that batches of pictures keep step.
        seed: of the order of the captions.
        strict: reproduce the original writer's defects.
        force: replace what is there.
        resume: keep the vocabulary and the splits that are there, and make the rest.
        origin: what is converted and how, as JSON takes it; kept in ``conversion.json``.
    """

    out: Path
    streams: int = 100
    timesteps: int = 20
    aligned: bool = True
    seed: int = 3
    strict: bool = False
    force: bool = False
    resume: bool = False
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("streams", "timesteps"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be positive", got=getattr(self, name))
        if len(str(self.out).split()) != 1:
            raise UsageError("the output folder's path contains blanks", got=f"'{self.out}'",
                             remedy="The list of HDF5 files is separated by blanks; choose another "
                                    "folder.")

    def folder(self, split: str) -> Path:
        """Return where the streams of a split go."""
        kind = f"aligned_{self.timesteps}" if self.aligned else "unaligned"
        return self.out / f"buffer_{self.streams}" / f"{split}_{kind}_batches"

    def refuse_existing(self, *paths: Path) -> None:
        """Raise DataError if one of the paths exists and may not be replaced."""
        for path in paths:
            if path.exists() and not self.force and not self.resume:
                raise DataError("output exists already", where=path,
                                remedy="Use another --out, or --force to replace it.")


def write_data_set(recipe: Recipe, captions: Mapping[str, Sequence[Caption]],
                   pictures: Path | None, report: Report, vocabulary: Vocabulary | None = None,
                   min_count: int = 5) -> Vocabulary:
    """Write the vocabulary and the streams of some splits; return the vocabulary.

    Args:
        recipe: what the streams look like, and where they go.
        captions: split -> its captions.
        pictures: the folder of the pictures; ``None``: the pictures are not needed.
        report: receives a line for each step, and warnings.
        vocabulary: use this one; by default it is made from the first split, and written.
        min_count: a word of the vocabulary that is made occurs at least so often.

    Raises:
        DataError: output exists and is not to be replaced, or a file cannot be written.
        UsageError: a vocabulary exists and is not to be replaced.
    """
    recipe.refuse_existing(*(recipe.folder(split) for split in captions))
    usable = {split: tokenized(found, pictures, report) for split, found in captions.items()}
    if vocabulary is None:
        first = next(iter(usable.values()))
        vocabulary = write_vocabulary(recipe, Vocabulary.from_captions(
            [tokens for _, tokens in first], min_count))
    for split, found in usable.items():
        if recipe.resume and recipe.folder(split).exists():
            check_same(recipe, split, vocabulary, report)
            report(f"{split}: is there already, in {recipe.folder(split)}")
        else:
            write_split(recipe, split, found, vocabulary, report)
    return vocabulary


def conversion_entry(recipe: Recipe, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what ``conversion.json`` says of a split."""
    return {**recipe.origin, "streams": recipe.streams, "timesteps": recipe.timesteps,
            "aligned": recipe.aligned, "seed": recipe.seed, "strict": recipe.strict,
            "vocabulary_sha256": vocabulary.sha256}


def check_same(recipe: Recipe, split: str, vocabulary: Vocabulary, report: Report) -> None:
    """See that a split that is there is what would be made.

    Raises:
        DataError: it was made from other files, or otherwise.
    """
    folder = recipe.folder(split)
    before = conversion.read(recipe.out, folder)
    if before is None:
        report(f"warning: nothing tells what {folder} was made from")
        return
    differences = conversion.differences(before, conversion_entry(recipe, vocabulary))
    if differences:
        raise DataError("these streams were made from something else", where=folder,
                        got="; ".join(differences),
                        remedy="Use another --out, or --force to replace everything.")


def write_vocabulary(recipe: Recipe, vocabulary: Vocabulary) -> Vocabulary:
    """Write ``OUT/vocabulary.txt``, or see that it is the same where a run is resumed.

    Raises:
        DataError: it is another one, or cannot be written.
        UsageError: there is one, and it is not to be replaced.
    """
    path = recipe.out / "vocabulary.txt"
    if path.exists() and recipe.resume:
        if Vocabulary.read(path).words != vocabulary.words:
            raise DataError("another vocabulary is there, so this is not the same run", where=path,
                            remedy="Use another --out, or --force to replace everything.")
        return vocabulary
    if path.exists() and not recipe.force:
        raise UsageError("there is a vocabulary already", got=path,
                         remedy=f"Use it with --vocabulary {path}, or replace it with --force.")
    with writing(path, DataError, "the vocabulary",
                 "Give --out a folder that can be made and written."):
        recipe.out.mkdir(parents=True, exist_ok=True)
    vocabulary.write(path)
    return vocabulary


def tokenized(captions: Sequence[Caption], pictures: Path | None,
              report: Report) -> list[tuple[str, list[str]]]:
    """Return (path of the picture, tokens) of each usable caption.

    Captions without words and captions of missing pictures are left out, with one warning each
    that gives the number and the first one.

    Args:
        captions: as read.
        pictures: the folder of the pictures; ``None``: the pictures are not needed.
        report: receives the warnings.

    Raises:
        DataError: nothing is left.
    """
    usable: list[tuple[str, list[str]]] = []
    blank: list[Caption] = []
    missing: dict[str, Caption] = {}
    known: dict[str, bool] = {}
    for caption in captions:
        path = caption.picture if pictures is None else str(pictures / caption.picture)
        if path not in known:
            known[path] = pictures is None or Path(path).is_file()
        tokens = tokenize(caption.text)
        if not known[path]:
            missing.setdefault(path, caption)
        elif not tokens:
            blank.append(caption)
        else:
            usable.append((path, tokens))
    _warn_of_skipped(blank, missing, report)
    if not usable:
        raise DataError("no caption is left", got=f"{len(missing)} missing pictures, "
                        f"{len(blank)} captions without words", remedy="Check --images.")
    return usable


def _warn_of_skipped(blank: Sequence[Caption], missing: dict[str, Caption],
                     report: Report) -> None:
    if blank:
        report(f"warning: skipped {len(blank)} captions without words, the first of "
               f"{blank[0].picture} at {blank[0].where}")
    if missing:
        path, caption = next(iter(missing.items()))
        report(f"warning: skipped {len(missing)} missing pictures, the first {path} "
               f"named at {caption.where}")


def write_split(recipe: Recipe, split: str, usable: Sequence[tuple[str, list[str]]],
                vocabulary: Vocabulary, report: Report) -> Path:
    """Write the streams and picture lists of one split; return their folder.

    The folder gets ``batch_<k>.h5``, ``hdf5_chunk_list.txt`` (their paths), ``image_list.txt`` and
    ``image_list.with_dummy_labels.txt`` (pictures in the order their captions are fetched, so that
    of an aligned split batch k of the pictures belongs to rows T·k … T·k + T − 1).

    Raises:
        DataError: the folder exists, or a file cannot be written.
        UsageError: a path of a picture contains a line break.

    Source: the LRCN caption preparation scripts (``hdf5_sequence_generator.py``).
    """
    pairs = align([Pair(path, tuple(vocabulary.ids(tokens))) for path, tokens in usable],
                  recipe.streams if recipe.aligned else 1, recipe.seed)
    for pair in pairs:
        if "\n" in pair.path or "\r" in pair.path:
            raise UsageError("a picture's name contains a line break", got=repr(pair.path))
    layout = Layout(pairs, recipe.streams, recipe.timesteps if recipe.aligned else None,
                    strict=recipe.strict)
    folder = recipe.folder(split)
    recipe.refuse_existing(folder)
    # A folder that has its name is whole: --resume relies on it.
    with new_folder(folder, DataError, "the streams",
                    "Make room on the disk, or use another --out.") as partial:
        _write_files(layout, partial, folder, split, vocabulary, report)
        _write_lists(pairs, partial)
        for path in partial.iterdir():
            sync(str(path))
        conversion.write(recipe.out, folder, conversion_entry(recipe, vocabulary))
    report(f"{split}: {_summary(recipe, pairs, len(usable))}, {layout.rows} rows of "
           f"{recipe.streams} streams in {folder}")
    return folder


def _summary(recipe: Recipe, pairs: Sequence[Pair], captions: int) -> str:
    """Tell how many pictures and captions a split has, and what was done to them."""
    cut = sum(len(pair.words) + 1 > recipe.timesteps for pair in pairs) if recipe.aligned else 0
    unknown = sum(word == 1 for pair in pairs for word in pair.words)
    return (f"{len({pair.path for pair in pairs})} pictures, {captions} captions "
            f"({len(pairs) - captions} repeated to fill the streams, {cut} cut to "
            f"{recipe.timesteps} steps, {unknown} unknown words)")


def _write_files(layout: Layout, folder: Path, final: Path, split: str, vocabulary: Vocabulary,
                 report: Report) -> None:
    """Write the arrays to ``folder`` and list them as files of ``final``."""
    names, done = [], 0
    for number, arrays in enumerate(layout.files()):
        names.append(final / f"batch_{number}.h5")
        with new_hdf5(folder / names[-1].name) as file:
            for name, array in arrays.items():
                file.create_dataset(name, data=array)
            stamp(file, vocabulary)
        done += len(arrays["cont"])
        report(f"{split}: {done} of {layout.rows} rows written")
    (folder / "hdf5_chunk_list.txt").write_text("".join(f"{name}\n" for name in names),
                                                encoding="utf-8")


def _write_lists(pairs: Sequence[Pair], folder: Path) -> None:
    # Every picture of a pair appears, once for each of its captions.
    (folder / "image_list.txt").write_text("".join(f"{pair.path}\n" for pair in pairs),
                                           encoding="utf-8")
    labels = (f"{pair.path} {pair.label}\n" for pair in pairs)
    (folder / "image_list.with_dummy_labels.txt").write_text("".join(labels), encoding="utf-8")
