"""The beam search for METEOR's best alignment."""
from __future__ import annotations

from math import comb, perm
from operator import itemgetter
from typing import NamedTuple

from .meteor_words import Sentence

EXACT, STEM, SYNONYM, PARAPHRASE = range(4)
_BEAM = 40


class Match(NamedTuple):
    """Words that match, found by one module.

    Args:
        module: EXACT, STEM, SYNONYM or PARAPHRASE.
        start, length: the words of the reference.
        place, width: the words of the candidate.
    """

    module: int
    start: int
    length: int
    place: int
    width: int


# A partial alignment, a plain tuple because there are so many of them:
# 0  minus the (weighted) number of matched words;
# 1  runs of words that are complete, so without the current one;
# 2  sum of the distances between matched words (0, 1, 2: the quality, less being better);
# 3  where the current run goes on in the candidate, -1 if there is none;
# 4  where it goes on in the reference;
# 5  and 6: bit sets of the words in use, of the candidate and of the reference;
# 7  the matches taken, as a linked list: (earlier ones, the last).
_Path = tuple[int, int, int, int, int, int, int, "tuple | None"]
_QUALITY = itemgetter(0, 1, 2)


def best_path(candidate: Sentence, reference: Sentence, options: list[list[Match]],
              definite: list[Match | None], prune: bool) -> list[Match]:
    """Return the best set of matches that do not overlap, in the reference's order.

    Args:
        candidate, reference: the sentences.
        options: per word of the reference the matches that start there.
        definite: per word of the reference the match that has no rival.
        prune: leave out paths that cannot cover as many words as the best one will. That is only
            possible where every match is of one word, and only done where the beam would have room
            for all paths, so that it changes nothing but the time.
    """
    pruned = prune and _path_count(candidate, reference, options, definite) <= _BEAM
    limits = _Limits(candidate, reference) if pruned else None
    used = [match for match in definite if match is not None]
    paths: list[_Path] = [(0, 0, 0, -1, 0, sum(_bits(m.place, m.width) for m in used),
                           sum(_bits(m.start, m.length) for m in used), None)]
    for current, found in enumerate(options):
        if len(paths) > 1:
            paths.sort(key=_QUALITY)
        following: list[_Path] = []
        for path in paths[:_BEAM]:
            if not path[6] >> current & 1:
                if found:
                    _branch(path, current, found, limits, following)
                else:
                    following.append(_skipped(path, path[2]))
            elif current < path[4]:
                following.append(path)
            elif (match := definite[current]) is not None:
                following.append(_taken(path, match, path[2] + abs(current - match.place),
                                        path[5], path[6]))
        paths = following or paths[:1]
    paths.sort(key=_QUALITY)
    best = min(paths[:_BEAM], key=lambda path: (path[0], path[1] + (path[3] != -1), path[2]))
    return _unlinked(best[7])


def _path_count(candidate: Sentence, reference: Sentence, options: list[list[Match]],
                definite: list[Match | None]) -> int:
    """Return an upper bound of how many partial alignments there are.

    Words of one stem match in all ways: k of a and b of them in k! C(a, k) C(b, k). A word with
    synonyms is counted as if its matches were independent of the others.
    """
    count = 1
    stems: dict[str, int] = {}
    for stem, found, match in zip(reference.stems, options, definite, strict=True):
        if match is None and found:
            stems[stem] = stems.get(stem, 0) + 1
            count *= 1 + sum(match.module == SYNONYM for match in found)
    for stem, b in stems.items():
        a = len(candidate.places.get(stem, ()))
        count *= sum(perm(a, k) * comb(b, k) for k in range(min(a, b) + 1))
    return count


class _Limits:
    """Tells which steps still lead to as many exact matches as there can be.

    Only exact matches of one word count, so the most there can be is the sum over the words of how
    often both sentences have them.
    """

    def __init__(self, candidate: Sentence, reference: Sentence) -> None:
        self._candidate, self._reference = candidate, reference

    def may_skip(self, path: _Path, current: int) -> bool:
        """Whether the reference's word may stay without an exact match."""
        return self._spare(path, self._reference.words[current], current) >= 0

    def may_spend(self, path: _Path, place: int, current: int) -> bool:
        """Whether the candidate's word may go to another word."""
        return self._spare(path, self._candidate.words[place], current) < 0

    def _spare(self, path: _Path, word: str, current: int) -> int:
        """Return the later occurrences in the reference less the free ones in the candidate."""
        later = (self._reference.bits.get(word, 0) >> (current + 1)).bit_count()
        return later - (self._candidate.bits.get(word, 0) & ~path[5]).bit_count()


def _branch(path: _Path, current: int, found: list[Match], limits: _Limits | None,
            following: list[_Path]) -> None:
    """Append ``path`` with each match that is free at ``current``, and with none."""
    distance, places, starts = path[2], path[5], path[6]
    may_skip = limits is None or limits.may_skip(path, current)
    for match in found:
        place_bits = _bits(match.place, match.width)
        start_bits = _bits(match.start, match.length)
        if places & place_bits or starts & start_bits:
            continue
        if limits is None or match.module == EXACT or (
                may_skip and limits.may_spend(path, match.place, current)):
            following.append(_taken(path, match, distance, places | place_bits,
                                    starts | start_bits))
        # The original adds a match's distance to the path it came from, so that it counts for the
        # alternatives tried after it instead of for itself. Ties are broken accordingly.
        distance += abs(current - match.place)
    if may_skip:
        following.append(_skipped(path, distance))


def _skipped(path: _Path, distance: int) -> _Path:
    unmatched, chunks, _, end, next_word, places, starts, chosen = path
    return (unmatched, chunks + (end != -1), distance, -1, next_word + 1, places, starts, chosen)


def _taken(path: _Path, match: Match, distance: int, places: int, starts: int) -> _Path:
    # Exact words count 1, all others 1/2, but the original sums them as whole numbers: a single
    # word that is not exact counts nothing here.
    module, start, length, place, width = match
    worth = width + length if module == EXACT else width // 2 + length // 2
    unmatched, chunks, _, end, _, _, _, chosen = path
    return (unmatched - worth, chunks + (end != -1 and place != end), distance, place + width,
            start + length, places, starts, (chosen, match))


def _unlinked(chosen: tuple | None) -> list[Match]:
    matches = []
    while chosen is not None:
        chosen, match = chosen
        matches.append(match)
    return matches[::-1]


def _bits(start: int, length: int) -> int:
    return (1 << length) - 1 << start
