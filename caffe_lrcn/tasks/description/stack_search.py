"""Search for the best translations of a lattice, with a stack for each number of slots done."""
from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from ...language.ngrams import NGrams
from .lattice import FEATURES, Lattice, Offers, Option, Options
from .phrases import PhraseTable


@dataclass(frozen=True)
class Candidate:
    """A translation.

    Args:
        words: its words.
        features: values of ``FEATURES``.
        score: their weighted sum.
    """

    words: tuple[str, ...]
    features: tuple[float, ...]
    score: float


#: Slots done, last words, end of the last phrase.
_Place = tuple[int, tuple[str, ...], int]


@dataclass(eq=False)
class _State:
    """What is alike for all that follows: slots done, last words, and where the last phrase ended.

    Args:
        done: a bit for each slot.
        context: the last words.
        end: the slot after those of the last phrase.
        score: of the best way here.
        ways: all ways here.
    """

    done: int
    context: tuple[str, ...]
    end: int
    score: float
    ways: list[_Way] = field(default_factory=list)


class _Way(NamedTuple):
    before: _State
    option: Option
    language: float
    distance: int
    gain: float


class StackSearch:
    """A decoder for phrases in any order (nltk's has no end of sentence, no lattice and one score).

    score = the weighted sum of ``FEATURES``: the phrases' own, the language model's log
    probability of the sentence and its end, and ``-|first slot - slot after the last phrase|``
    summed over the phrases. States that differ only in their past are merged; of those with
    equally many slots done the best ``stack`` go on, judged with an estimate of what is left.

    Args:
        table: the phrases.
        model: the language model.
        weights: of ``FEATURES``.
        stack: states that go on.
        limit: phrases that are tried for the same slots.

    Source: Koehn, "Pharaoh: a beam search decoder for phrase-based statistical machine
    translation models".
    """

    def __init__(self, table: PhraseTable, model: NGrams, weights: tuple[float, ...],
                 stack: int = 20, limit: int = 20) -> None:
        self._model, self._stack = model, stack
        self._weight = dict(zip(FEATURES, weights, strict=True))
        self._offers = Offers(table, model, weights, limit)
        self._extended: dict[tuple[tuple[str, ...], tuple[str, ...]],
                             tuple[float, tuple[str, ...]]] = {}

    def best(self, lattice: Lattice, most: int = 1) -> list[Candidate]:
        """Return the best translations with different words, best first; none if all are empty."""
        found: dict[tuple[str, ...], Candidate] = {}
        for candidate in self._candidates(self._ends(lattice)):
            found.setdefault(candidate.words, candidate)
            if len(found) == most:
                break
        return [*found.values()]

    def _ends(self, lattice: Lattice) -> list[_State]:
        """Return the states in which all slots are done."""
        options = self._offers(lattice)
        left = _Left(options, len(lattice))
        stacks = [_Stack(self._stack) for _ in range(len(lattice) + 1)]
        stacks[0].reach((0, self._model.start, 0), _State(0, self._model.start, 0, 0.0), left(0))
        for stack in stacks[:-1]:
            for state in stack.best(left):
                for (first, last), offered in options.items():
                    slots = (1 << last) - (1 << first)
                    if not state.done & slots:
                        done = state.done | slots
                        self._go(state, offered, done, stacks[done.bit_count()], left(done))
        return [*stacks[-1].states.values()]

    def _go(self, state: _State, offered: list[Option], done: int, stack: _Stack,
            left: float) -> None:
        distance = abs(offered[0].first - state.end)
        step = -self._weight["distortion"] * distance
        weight = self._weight["language model"]
        before = state.score + step
        for option in offered:
            if before + option.estimate + left < stack.least:
                break  # those that follow are estimated lower still
            key = state.context, option.words
            known = self._extended.get(key)
            if known is None:
                known = self._extended[key] = self._model.extend(*key)
            language, context = known
            gain = step + option.score + weight * language
            score = state.score + gain
            place = done, context, option.last
            reached = stack.states.get(place)
            if reached is None:
                reached = _State(done, context, option.last, score)
                stack.reach(place, reached, score + left)
            elif score > reached.score:
                reached.score = score
            reached.ways.append(_Way(state, option, language, distance, gain))

    def _candidates(self, ends: list[_State]) -> Iterator[Candidate]:
        """Yield the translations by falling score: from the end back, with exact scores ahead."""
        number = count()
        heap: list[tuple[float, int, _State, float, tuple[_Way, ...]]] = []
        for state in ends:
            if state.context != self._model.start:  # else there are no words
                rest = self._weight["language model"] * self._model.end(state.context)
                heapq.heappush(heap, (-state.score - rest, next(number), state, rest, ()))
        while heap:
            score, _, state, rest, ways = heapq.heappop(heap)
            if not state.ways:
                yield self._candidate(-score, ways)
            for way in state.ways:
                more = rest + way.gain
                heapq.heappush(heap, (-way.before.score - more, next(number), way.before, more,
                                      (way, *ways)))

    def _candidate(self, score: float, ways: tuple[_Way, ...]) -> Candidate:
        words = tuple(word for way in ways for word in way.option.words)
        features = [sum(column) for column in
                    zip(*(way.option.features for way in ways), strict=True)]
        _, context = self._model.extend(self._model.start, words)
        language = sum(way.language for way in ways) + self._model.end(context)
        return Candidate(words, (*features, language, -float(sum(way.distance for way in ways))),
                         score)


class _Stack:
    """The states with equally many slots done."""

    def __init__(self, size: int) -> None:
        self.states: dict[_Place, _State] = {}
        #: A way that is estimated lower is not among the best.
        self.least = -math.inf
        self._size = size
        self._scores: list[float] = []

    def reach(self, place: _Place, state: _State, score: float) -> None:
        """Add a state, whose score is estimated with what is left."""
        self.states[place] = state
        heapq.heappush(self._scores, score)
        if len(self._scores) > self._size:
            heapq.heappop(self._scores)
            self.least = self._scores[0]

    def best(self, left: _Left) -> list[_State]:
        """Return the states that go on."""
        return sorted(self.states.values(),
                      key=lambda state: -state.score - left(state.done))[:self._size]


class _Left:
    """Estimates the score of what is left to do, from the best phrases of all spans."""

    def __init__(self, options: Options, slots: int) -> None:
        self._slots = slots
        self._known: dict[int, float] = {}
        #: Best estimate of the slots from first to before last.
        self._span = [[-math.inf] * (slots + 1) for _ in range(slots + 1)]
        for size in range(1, slots + 1):
            for first in range(slots - size + 1):
                last = first + size
                offered = options.get((first, last))
                self._span[first][last] = max(
                    [offered[0].estimate if offered else -math.inf,
                     *(self._span[first][middle] + self._span[middle][last]
                       for middle in range(first + 1, last))])

    def __call__(self, done: int) -> float:
        if done not in self._known:
            total, first = 0.0, None
            for slot in range(self._slots + 1):
                free = slot < self._slots and not done >> slot & 1
                if free and first is None:
                    first = slot
                if not free and first is not None:
                    total += self._span[first][slot]
                    first = None
            self._known[done] = total
        return self._known[done]
