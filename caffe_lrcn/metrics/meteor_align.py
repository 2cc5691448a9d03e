"""METEOR's alignment: which words of a candidate match which words of a reference."""
from __future__ import annotations

from collections.abc import Sequence

from .meteor_search import EXACT, PARAPHRASE, STEM, SYNONYM, Match, best_path
from .meteor_words import Sentence
from .paraphrases import ParaphraseTable

_Options = list[list[Match]]


def align(candidate: Sentence, reference: Sentence,
          paraphrases: ParaphraseTable | None = None) -> list[Match]:
    """Return the matches of the best alignment, in the reference's order.

    The best alignment covers most words, then has fewest chunks, then the smallest distances
    between matched words. It is searched from left to right with the forty best partial ones.

    Args:
        candidate, reference: the prepared sentences.
        paraphrases: table of phrases that mean the same, if there is one.

    Source: METEOR 1.5 (Denkowski and Lavie 2014).
    """
    options = _options(candidate, reference, paraphrases)
    definite = _definite(options, len(candidate.words))
    if all(match is not None or not found
           for match, found in zip(definite, options, strict=True)):
        return [match for match in definite if match is not None]
    return best_path(candidate, reference, options, definite, prune=paraphrases is None)


def chunks(matches: Sequence[Match]) -> int:
    """Return how many runs of neighbouring words the matches form in both sentences."""
    runs, next_start, next_place = 0, -1, -1
    for _, start, length, place, width in matches:
        runs += start != next_start or place != next_place
        next_start, next_place = start + length, place + width
    return runs


def _options(candidate: Sentence, reference: Sentence,
             paraphrases: ParaphraseTable | None) -> _Options:
    """Return per word of the reference the matches that start there, in the modules' order."""
    words = candidate.words
    options: _Options = []
    more = words != reference.words
    for start, (word, stem) in enumerate(zip(reference.words, reference.stems, strict=True)):
        found: list[Match] = []
        stemmed: list[Match] = []
        for place in candidate.places.get(stem, ()):
            if words[place] == word:
                found.append(Match(EXACT, start, 1, place, 1))
            elif more:
                stemmed.append(Match(STEM, start, 1, place, 1))
        options.append(found + stemmed)
    if more:
        _add_synonyms(candidate, reference, options)
        if paraphrases is not None:
            _add_paraphrases(words, reference.words, paraphrases, options)
    return options


def _add_synonyms(candidate: Sentence, reference: Sentence, options: _Options) -> None:
    known = [(place, synsets) for place, synsets in enumerate(candidate.synsets) if synsets]
    if not known:
        return
    for start, synsets in enumerate(reference.synsets):
        if synsets:
            options[start] += [Match(SYNONYM, start, 1, place, 1) for place, others in known
                               if candidate.words[place] != reference.words[start]
                               and not synsets.isdisjoint(others)]


def _add_paraphrases(candidate: Sequence[str], reference: Sequence[str], table: ParaphraseTable,
                     options: _Options) -> None:
    for start, length, place, width in table.occurrences(reference, candidate):
        options[start].append(Match(PARAPHRASE, start, length, place, width))
    for place, width, start, length in table.occurrences(candidate, reference):
        options[start].append(Match(PARAPHRASE, start, length, place, width))


def _definite(options: _Options, words: int) -> list[Match | None]:
    """Return per word of the reference its match if no other one competes with it, or None."""
    places, starts = [0] * words, [0] * len(options)
    for found in options:
        for _, start, length, place, width in found:
            for i in range(place, place + width):
                places[i] += 1
            for i in range(start, start + length):
                starts[i] += 1
    return [found[0] if len(found) == 1 and _is_alone(found[0], places, starts) else None
            for found in options]


def _is_alone(match: Match, places: list[int], starts: list[int]) -> bool:
    _, start, length, place, width = match
    return (max(starts[start:start + length]) == 1 and max(places[place:place + width]) == 1)
