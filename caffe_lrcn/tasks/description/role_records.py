"""What is known of clips: a label in each of some named slots, or how probable each label is."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import DataError
from ...hints import did_you_mean, nearest
from ...language.text_files import brief, is_name

#: How far the sum of a vector of probabilities may lie from 1: files round.
TOLERANCE = 1e-3
_VECTOR = "probabilities that are not negative and sum to 1"


@dataclass(frozen=True)
class Slot:
    """One role, such as the tool, and what can fill it; ``none`` is a label like any other."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Roles:
    """The semantic input: N clips, each with a label for each of K slots.

    Args:
        path: the file, for messages.
        slots: in the order in which an encoder takes them.
        ids: (N,) what the clips are called.
        videos: (N,) paths as the file gives them, or None.
        labels: (N, K) int64, each a place in its slot's labels.
        probabilities: (N, S) float64, the blocks of the slots side by side, each summing to 1;
            S is the sum of the numbers of labels. None if the file has labels only.
        sentences: (N,) lists of sentences; empty lists for clips that are to be described.
        joint: the labels are those of the joint maximum over all slots, which need not be the
            maximum of each slot's vector.
    """

    path: str
    slots: tuple[Slot, ...]
    ids: list[str]
    videos: list[str | None]
    labels: np.ndarray
    probabilities: np.ndarray | None
    sentences: list[list[str]]
    joint: bool = False

    @property
    def states(self) -> int:
        """The number of labels of all slots, S."""
        return sum(len(slot.labels) for slot in self.slots)

    @cached_property
    def offsets(self) -> np.ndarray:
        """(K,) where the block of each slot begins."""
        return np.cumsum([0, *(len(slot.labels) for slot in self.slots)])[:-1]

    def block(self, slot: int) -> slice:
        """Return where the block of a slot, by its number, lies among the states."""
        start = int(self.offsets[slot])
        return slice(start, start + len(self.slots[slot].labels))

    def tokens(self) -> np.ndarray:
        """Return (N, K) int64: one number for each slot, different for each label of all slots."""
        return np.asarray(self.labels + self.offsets)

    def one_hot(self) -> np.ndarray:
        """Return (N, S) float32: 1 at the label of each slot."""
        vectors = np.zeros((len(self.ids), self.states), np.float32)
        np.put_along_axis(vectors, self.tokens(), 1.0, axis=1)
        return vectors

    def marginals(self) -> np.ndarray:
        """Return the probabilities as (N, S) float32.

        Raises:
            DataError: there are labels only.
        """
        if self.probabilities is None:
            raise DataError("the roles have labels but no probabilities", where=self.path,
                            remedy="Use an architecture that takes labels, or write the roles "
                                   "with probabilities: caffe-lrcn data roles")
        return self.probabilities.astype(np.float32)

    def names(self, clip: int) -> tuple[str, ...]:
        """Return the (K,) labels of a clip in words."""
        return tuple(slot.labels[label]
                     for slot, label in zip(self.slots, self.labels[clip], strict=True))

    def select(self, clips: np.ndarray) -> Roles:
        """Return the roles of these clips, by number."""
        return Roles(self.path, self.slots, [self.ids[i] for i in clips],
                     [self.videos[i] for i in clips], self.labels[clips],
                     None if self.probabilities is None else self.probabilities[clips],
                     [self.sentences[i] for i in clips], self.joint)


def clip_place(path: str, number: int, name: object = None) -> str:
    """Return where a clip stands in a file, for messages."""
    return f"{path}: clips[{number}]" + (f" ({brief(name)})" if isinstance(name, str) else "")


def unknown(what: str, name: str, known: tuple[str, ...], where: str) -> DataError:
    """Return the error of a name that is none of the known ones."""
    return DataError(f"unknown {what}", where=where, got=repr(name),
                     wanted=None if len(known) > 12 else "one of " + ", ".join(known),
                     remedy=did_you_mean(nearest(name, known)))


def check_slots(slots: tuple[Slot, ...], path: str) -> None:
    """Check names and labels of slots.

    Raises:
        DataError: there are none, a name is empty, or something is there twice.
    """
    if not slots:
        raise DataError("there are no slots", where=path)
    for number, slot in enumerate(slots):
        where = f"{path}: slots[{number}]"
        if not slot.name.strip() or not is_name(slot.name):
            raise DataError("the name of a slot must be text on one line", where=where,
                            got=brief(slot.name))
        if slot.name in (other.name for other in slots[:number]):
            raise DataError(f"slot '{slot.name}' is there twice", where=where)
        if not slot.labels:
            raise DataError(f"slot '{slot.name}' has no labels", where=where)
        seen: set[str] = set()
        for label in slot.labels:
            if not label.strip() or not is_name(label):
                raise DataError(f"a label of slot '{slot.name}' must be text on one line",
                                where=where, got=brief(label))
            if label in seen:
                raise DataError(f"slot '{slot.name}' has label '{label}' twice", where=where)
            seen.add(label)


def check_same_slots(roles: Roles, slots: tuple[Slot, ...], owner: str) -> None:
    """See that roles have these slots, with the same labels in the same order.

    Args:
        roles: what is to be described, or learnt.
        slots: those that are wanted.
        owner: the file that they are from, or what has learnt them.

    Raises:
        DataError: they differ.
    """
    if roles.slots == slots:
        return
    remedy = f"The slots and their labels must be those of {owner}, in the same order."
    names, wanted = ([slot.name for slot in item] for item in (roles.slots, slots))
    if names != wanted:
        raise DataError("the roles have other slots", where=roles.path, got=", ".join(names),
                        wanted=", ".join(wanted), remedy=remedy)
    slot, other = next((slot, other) for slot, other in zip(roles.slots, slots, strict=True)
                       if slot != other)
    place = next((i for i, (a, b) in enumerate(zip(slot.labels, other.labels, strict=False))
                  if a != b), min(len(slot.labels), len(other.labels)))
    got, expected = (repr(item.labels[place]) if place < len(item.labels) else "the end"
                     for item in (slot, other))
    raise DataError(f"slot '{slot.name}' has other labels", where=roles.path,
                    got=f"{len(slot.labels)} labels, {got} as label {place}",
                    wanted=f"{len(other.labels)} labels, {expected} as label {place}",
                    remedy=remedy)


def check_clips(ids: list[str], sentences: list[list[str]], path: str) -> None:
    """Check that clips have names that differ, and no empty sentences.

    Raises:
        DataError: they do not, or there are no clips.
    """
    if not ids:
        raise DataError("there are no clips", where=path)
    first: dict[str, int] = {}
    for number, (name, texts) in enumerate(zip(ids, sentences, strict=True)):
        where = clip_place(path, number, name)
        if not name.strip() or not is_name(name):
            raise DataError("the id of a clip must be text on one line", where=where,
                            got=brief(name))
        if first.setdefault(name, number) != number:
            raise DataError(f"two clips have the id '{name}'", where=where,
                            remedy=f"The first one is clips[{first[name]}]")
        for text in texts:
            if not text.strip():
                raise DataError("a sentence is empty", where=where,
                                remedy="Leave it out; a clip without sentences can be described")
            if not is_name(text.replace("\n", " ").replace("\r", " ")):
                raise DataError("a sentence has a zero or half a character", where=where,
                                got=brief(text))


def check_vectors(roles: Roles) -> None:
    """Check that each vector is one of probabilities, and that the label is its maximum.

    Raises:
        DataError: one is not, telling clip and slot.
    """
    if roles.probabilities is None:
        return
    rows = np.arange(len(roles.ids))
    for number, slot in enumerate(roles.slots):
        block = roles.probabilities[:, roles.block(number)]
        sums = block.sum(axis=1)
        wrong = ~(np.isfinite(block).all(axis=1) & (block >= 0).all(axis=1)
                  & (np.abs(sums - 1) <= TOLERANCE))
        if wrong.any():
            clip = int(np.argmax(wrong))
            raise DataError(f"the vector of slot '{slot.name}' is not one of probabilities",
                            where=clip_place(roles.path, clip, roles.ids[clip]),
                            got=_fault(block[clip], sums[clip]), wanted=_VECTOR)
        given = block[rows, roles.labels[:, number]]
        wrong = given <= 0 if roles.joint else given < block.max(axis=1)
        if wrong.any():
            _refuse_label(roles, slot, block, number, int(np.argmax(wrong)))


def _fault(vector: np.ndarray, total: float) -> str:
    if not np.isfinite(vector).all() or (vector < 0).any():
        return f"a value of {vector[~(np.isfinite(vector) & (vector >= 0))][0]:g}"
    return f"a sum of {total:.6g}"


def _refuse_label(roles: Roles, slot: Slot, block: np.ndarray, number: int, clip: int) -> None:
    label, best = int(roles.labels[clip, number]), int(block[clip].argmax())
    where = clip_place(roles.path, clip, roles.ids[clip])
    got = f"{slot.labels[label]}, whose probability is {block[clip, label]:g}"
    if roles.joint:
        raise DataError(f"the label of slot '{slot.name}' cannot be by its vector", where=where,
                        got=got)
    raise DataError(f"the label of slot '{slot.name}' disagrees with its vector", where=where,
                    got=got, wanted=f"{slot.labels[best]}, whose probability is "
                                    f"{block[clip, best]:g}",
                    remedy='If the labels are the joint maximum of all slots, the file must say '
                           '"maximum": "joint"')
