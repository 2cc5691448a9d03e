"""What is ranked: captions of several systems for the same pictures or clips."""
from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ... import rng
from ...errors import DataError, UsageError
from ...language.caption_files import read_references
from ...language.result_files import read_result_captions
from ...language.text_files import brief, read_json, read_text
from ...printable import printable
from .media import MediaFolder

#: criterion -> what a judge is asked. Source: section 5.1.2 and Table 8 of the LRCN paper, which
#: names the criteria and does not explain them; the explanations are ours.
CRITERIA = {"correctness": "It says nothing wrong about what you see.",
            "grammar": "It is a well-formed sentence.",
            "relevance": "It says what matters most in what you see."}
#: A judge cannot compare more, and a key of the keyboard has to rank each.
MOST_SYSTEMS = 9
_FORM = 'COCO results: [{"image_id": 1, "caption": "..."}, ...], or COCO captions'
_NUMBERED = re.compile(r"#\d+$")  # of Flickr's token files: image.jpg#0


@dataclass(frozen=True)
class Item:
    """A picture or clip with a sentence of each system.

    Args:
        key: how the systems' files call it.
        file: its file or folder of frames, below the folder of pictures and clips.
        sentences: in the order of the systems.
    """

    key: str
    file: str
    sentences: tuple[str, ...]

    @cached_property
    def groups(self) -> list[list[int]]:
        """The systems by sentence: those that say the same are shown once and share a rank."""
        groups: dict[str, list[int]] = {}
        for system, sentence in enumerate(self.sentences):
            groups.setdefault(sentence, []).append(system)
        return list(groups.values())


@dataclass(frozen=True)
class Study:
    """Systems, items and criteria.

    Args:
        systems: their names; no judge sees them.
        items: in the order in which every judge gets them, so that judges who stop early have
            ranked the same ones.
        criteria: their names.
        seed: of the orders in which sentences are shown.
    """

    systems: tuple[str, ...]
    items: tuple[Item, ...]
    criteria: tuple[str, ...] = tuple(CRITERIA)
    seed: int = 0

    @cached_property
    def id(self) -> str:
        """A hash of everything that the ranks depend on."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def order(self, judge: str, item: int) -> list[list[int]]:
        """Return the groups of systems of an item in the order in which a judge sees them."""
        groups = self.items[item].groups
        draw = rng.generator(self.seed, "sentences of a ranking", judge.casefold(), item)
        return [groups[place] for place in draw.permutation(len(groups))]

    def to_json(self) -> str:
        """Return the study as text: always the same text for the same study."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Study:
        """Return the study that ``to_json`` has written.

        Raises:
            ValueError, KeyError, TypeError: the text is something else.
        """
        data: dict[str, Any] = json.loads(text)
        items = tuple(Item(item["key"], item["file"], tuple(item["sentences"]))
                      for item in data["items"])
        return cls(tuple(data["systems"]), items, tuple(data["criteria"]), int(data["seed"]))

    def difference(self, other: Study) -> str:
        """Say in a few words in what another study differs from this one."""
        if self.systems != other.systems:
            return f"the systems {', '.join(other.systems)} instead of {', '.join(self.systems)}"
        if self.criteria != other.criteria:
            return f"the criteria {', '.join(other.criteria)}"
        if [item.key for item in self.items] != [item.key for item in other.items]:
            return f"other items ({len(other.items)} instead of {len(self.items)})"
        for mine, its in zip(self.items, other.items, strict=True):
            for system, ours, theirs in zip(self.systems, mine.sentences, its.sentences,
                                            strict=True):
                if ours != theirs:
                    return f"another sentence of {system} for {printable(mine.key)}"
            if mine.file != its.file:
                return f"another file for {printable(mine.key)}: {printable(its.file)}"
        return f"--seed {other.seed} instead of {self.seed}"


@dataclass(frozen=True)
class LeftOut:
    """How many items are not part of a study, by reason."""

    unsaid: int = 0
    same: int = 0


def read_study(systems: Mapping[str, Path], folder: MediaFolder,
               names: Mapping[str, str] | None = None, most: int | None = None,
               seed: int = 0) -> tuple[Study, LeftOut]:
    """Make a study of the systems' files; return it, and what it leaves out.

    Args:
        systems: name -> file, as for ``read_sentences``.
        folder: where the pictures and clips are.
        names: key -> file name of the items; by default the keys tell (``MediaFolder.find``).
        most: take that many of the items at random.
        seed: of that, and of the orders in which sentences are shown.

    Raises:
        UsageError: too few or too many systems, two of one name, or no item.
        DataError: a file cannot be read, or a picture or clip is missing.
    """
    if not 2 <= len(systems) <= MOST_SYSTEMS:
        raise UsageError("this is not a number of systems to compare", got=len(systems),
                         wanted=f"2 to {MOST_SYSTEMS}")
    said = [read_sentences(path) for path in systems.values()]
    keys = [key for key in said[0] if all(key in sentences for sentences in said)]
    if not keys:
        other = min(said[1:], key=lambda sentences: len(sentences.keys() & said[0].keys()))
        raise UsageError("no picture or clip has a sentence of every system",
                         got=f"{brief(next(iter(said[0])))} and {brief(next(iter(other)))}, for "
                             "example",
                         remedy="All files must call the same thing by the same id.")
    told = [key for key in keys if len({sentences[key] for sentences in said}) > 1]
    if not told:
        raise UsageError("all systems say the same of everything: there is nothing to rank")
    if most is not None and most < len(told):
        drawn = rng.generator(seed, "items of a ranking").permutation(len(told))[:most]
        chosen = [told[place] for place in sorted(drawn)]
    else:
        chosen = told
    items = [Item(key, folder.find(key, None if names is None else names.get(key)),
                  tuple(sentences[key] for sentences in said)) for key in chosen]
    everything = set().union(*said)
    return (Study(tuple(systems), tuple(items), seed=seed),
            LeftOut(len(everything) - len(keys), len(keys) - len(told)))


def read_sentences(path: Path) -> dict[str, str]:
    """Return key -> sentence of a system: the first sentence of each key.

    Args:
        path: COCO results, COCO captions, or text with lines ``key<TAB>sentence``; Flickr's token
            files (``image.jpg#0<TAB>sentence``) are such.

    Raises:
        DataError: the file cannot be read or is of another form, telling the place.
    """
    if path.suffix.lower() == ".json":
        if isinstance(read_json(path, "results", _FORM), dict):
            found = {key: texts[0] for key, texts in read_references(path).items()}
        else:
            found = read_result_captions(path)
    else:
        found = _read_text(path)
    found = {key: " ".join(sentence.split()) for key, sentence in found.items()}
    for key, sentence in found.items():
        if not sentence:
            raise DataError(f"the sentence for {brief(key)} is empty", where=path)
    return found


def _read_text(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(path, "sentences").split("\n"), 1):
        if not line.strip():
            continue
        key, tab, sentence = line.partition("\t")
        if not tab or not key.strip() or not sentence.strip():
            raise DataError("not a line of sentences", where=f"{path}:{number}",
                            got=repr(line[:60]), wanted="id<TAB>sentence")
        found.setdefault(_NUMBERED.sub("", key.strip()), sentence)
    if not found:
        raise DataError("the file holds no sentences", where=path, wanted="id<TAB>sentence")
    return found


def name_systems(words: Sequence[str]) -> dict[str, Path]:
    """Return name -> file of words ``NAME=FILE``, or ``FILE``, which is named like the file.

    Raises:
        UsageError: a name is empty, or two are equal.
    """
    systems: dict[str, Path] = {}
    for word in words:
        name, equals, file = word.partition("=")
        path = Path(file if equals else word)
        name = printable(name.strip() if equals else path.stem)
        if not name or name in systems:
            raise UsageError("two systems have one name" if name else "a system has no name",
                             got=printable(word), wanted="NAME=FILE, each name once")
        systems[name] = path
    return systems
