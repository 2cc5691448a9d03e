"""From clips' labels and sentences to a table of phrases: alignment, extraction, scores.

Labels are numbers, one per slot in the order of the slots (``Roles.tokens``); words are text. A
link ``(s, w)`` joins slot ``s`` and the word at place ``w``.

Source: Koehn, Och and Marcu, "Statistical phrase-based translation" (2003); nltk.translate.
"""
from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from nltk.translate import AlignedSent, IBMModel1, IBMModel2
from nltk.translate.phrase_based import phrase_extraction

#: The labels of a clip and the words of one of its sentences.
Pair = tuple[tuple[int, ...], tuple[str, ...]]
Links = frozenset[tuple[int, int]]

_NEAR = tuple((s, w) for s in (-1, 0, 1) for w in (-1, 0, 1) if s or w)


class Phrase(NamedTuple):
    """What some labels are translated to.

    Args:
        words: the words; none for a label that the sentence leaves out.
        scores: natural logarithms of p(words | labels), p(labels | words), and of the lexical
            weights in both directions.
    """

    words: tuple[str, ...]
    scores: tuple[float, ...]


PhraseTable = dict[tuple[int, ...], list[Phrase]]


def align(pairs: Sequence[Pair], iterations: int, report: Callable[[str], None]) -> list[Links]:
    """Return the links of each pair: IBM models 1 and 2 in both directions, made one.

    Args:
        pairs: labels and words.
        iterations: of each model.
        report: takes lines of progress.
    """
    to_words = _one_way([AlignedSent([*words], [*labels]) for labels, words in pairs], iterations,
                        "labels to words", report)
    to_labels = _one_way([AlignedSent([*labels], [*words]) for labels, words in pairs], iterations,
                         "words to labels", report)
    return [grow(frozenset((s, w) for w, s in forth), frozenset(back))
            for forth, back in zip(to_words, to_labels, strict=True)]


def grow(forth: Links, back: Links) -> Links:
    """Return the links that both directions have, and those of one that help (grow-diag-final-and).

    A link beside an accepted one is added if its slot or its word has none yet; then each that is
    left, if neither has one. nltk's function of this name accepts all links.

    Source: Koehn et al., "Edinburgh system description for the 2005 IWSLT evaluation".
    """
    union = forth | back
    links = set(forth & back)
    slots, places = ({link[side] for link in links} for side in (0, 1))

    def accept(link: tuple[int, int]) -> None:
        links.add(link)
        slots.add(link[0])
        places.add(link[1])

    waiting = sorted(links)
    while waiting:
        s, w = waiting.pop(0)
        for near in ((s + ds, w + dw) for ds, dw in _NEAR):
            if near in union - links and (near[0] not in slots or near[1] not in places):
                accept(near)
                waiting.append(near)
    for link in [*sorted(forth), *sorted(back)]:
        if link[0] not in slots and link[1] not in places:
            accept(link)
    return frozenset(links)


def extract(pairs: Iterable[Pair], links: Iterable[Links], longest: int, most: int) -> PhraseTable:
    """Return all phrases that agree with the links, with their scores.

    Args:
        pairs: labels and words.
        links: of each pair.
        longest: a phrase has at most so many words.
        most: so many phrases are kept for the same labels: those of largest p(words | labels).
    """
    found: Counter[tuple[tuple[int, ...], tuple[str, ...], Links]] = Counter()
    joined: Counter[tuple[int | None, str | None]] = Counter()
    for (labels, words), linked in zip(pairs, links, strict=True):
        found.update(_phrases(labels, words, linked, longest))
        slots, places = ({link[side] for link in linked} for side in (0, 1))
        joined.update((labels[s], words[w]) for s, w in linked)
        joined.update((None, word) for w, word in enumerate(words) if w not in places)
        joined.update((label, None) for s, label in enumerate(labels) if s not in slots)
    return _scored(found, joined, most)


def _one_way(corpus: list[AlignedSent], iterations: int, name: str,
             report: Callable[[str], None]) -> list[list[tuple[int, int]]]:
    """Return (target, source) places that belong together, of each pair."""
    first = IBMModel1(corpus, 0)
    second = IBMModel2(corpus, 0)
    for number in range(iterations):
        report(f"aligning {name}: model 1, {number + 1} of {iterations}")
        first.train(corpus)
    second.translation_table = first.translation_table
    for number in range(iterations):
        report(f"aligning {name}: model 2, {number + 1} of {iterations}")
        second.train(corpus)
    second.align_all(corpus)
    return [[(target, source) for target, source in pair.alignment if source is not None]
            for pair in corpus]


def _phrases(labels: tuple[int, ...], words: tuple[str, ...], links: Links,
             longest: int) -> list[tuple[tuple[int, ...], tuple[str, ...], Links]]:
    """Return (labels, words, links inside) of each phrase of one pair."""
    found = []
    # A limit of nltk's would cut words off a phrase instead of leaving it out.
    spans = phrase_extraction("s " * len(labels), "w " * len(words), sorted(links),
                              max(len(labels), len(words))) if links else ()
    for (first, last), (begin, end), _, _ in spans:
        if end - begin <= longest:
            inside = frozenset((s - first, w - begin) for s, w in links
                               if first <= s < last and begin <= w < end)
            found.append((labels[first:last], words[begin:end], inside))
    free = {*range(len(labels))} - {s for s, _ in links}
    return found + [((labels[s],), (), frozenset()) for s in sorted(free)]


def _scored(found: Counter[tuple[tuple[int, ...], tuple[str, ...], Links]],
            joined: Counter[tuple[int | None, str | None]], most: int) -> PhraseTable:
    together: Counter[tuple[tuple[int, ...], tuple[str, ...]]] = Counter()
    lexical: dict[tuple[tuple[int, ...], tuple[str, ...]], tuple[float, float]] = {}
    weights = _LexicalWeights(joined)
    for (labels, words, links), count in found.items():
        key = labels, words
        together[key] += count
        # Of several links inside, the better ones count.
        lexical[key] = max(lexical.get(key, (-math.inf, -math.inf)), weights(labels, words, links))
    of_labels: Counter[tuple[int, ...]] = Counter()
    of_words: Counter[tuple[str, ...]] = Counter()
    for (labels, words), count in together.items():
        of_labels[labels] += count
        of_words[words] += count
    table: defaultdict[tuple[int, ...], list[Phrase]] = defaultdict(list)
    for (labels, words), count in together.items():
        forth, back = lexical[labels, words]
        scores = (math.log(count / of_labels[labels]), math.log(count / of_words[words]), forth,
                  back)
        # Rounded, so that a file of them is small and gives the same translations.
        table[labels].append(Phrase(words, tuple(round(score, 5) for score in scores)))
    return {labels: sorted(phrases, key=lambda phrase: (-phrase.scores[0], phrase.words))[:most]
            for labels, phrases in sorted(table.items(), key=lambda item: item[0])}


class _LexicalWeights:
    """Lexical weights: the mean over the labels that a word is linked to, times all words."""

    def __init__(self, joined: Counter[tuple[int | None, str | None]]) -> None:
        self._joined = joined
        self._labels: Counter[int | None] = Counter()
        self._words: Counter[str | None] = Counter()
        for (label, word), count in joined.items():
            self._labels[label] += count
            self._words[word] += count

    def __call__(self, labels: tuple[int, ...], words: tuple[str, ...],
                 links: Links) -> tuple[float, float]:
        """Return the logarithms of the weights of words given labels, labels given words."""
        forth = back = 0.0
        for place, word in enumerate(words):
            linked: list[int | None] = [labels[s] for s, w in links if w == place]
            linked = linked or [None]
            forth += math.log(sum(self._joined[label, word] / self._labels[label]
                                  for label in linked) / len(linked))
        for slot, label in enumerate(labels):
            said: list[str | None] = [words[w] for s, w in links if s == slot]
            said = said or [None]
            back += math.log(sum(self._joined[label, word] / self._words[word]
                                 for word in said) / len(said))
        return forth, back
