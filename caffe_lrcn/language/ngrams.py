"""An n-gram language model of sentences, and what it says by itself."""
from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence

import numpy as np
from nltk.lm import NgramCounter, WittenBellInterpolated
from nltk.util import everygrams

_BEGIN, _END = "<s>", "</s>"  # the tokeniser makes no such words


class NGrams:
    """Interpolated Witten-Bell n-grams (nltk's), each number computed once.

    ``p(w | h) = (c(h w) + t(h) p(w | h')) / (c(h) + t(h))``, where ``t(h)`` is the number of
    distinct words after ``h``, and ``h'`` lacks the first word of ``h``. nltk's Kneser-Ney runs
    through all n-grams for each number, so a search cannot use it.

    Args:
        order: n, 2 or more.
        counts: (n-gram, how often) of all orders from 1 to n.

    Source: nltk.lm; Chen and Goodman, "An empirical study of smoothing techniques for language
    modeling".
    """

    def __init__(self, order: int, counts: Iterable[tuple[tuple[str, ...], int]]) -> None:
        self.order = order
        #: The context at the beginning of a sentence.
        self.start: tuple[str, ...] = (_BEGIN,) * (order - 1)
        self._counter = NgramCounter()
        for gram, count in counts:
            if len(gram) == 1:
                self._counter.unigrams[gram[0]] += count
            else:
                self._counter[len(gram)][gram[:-1]][gram[-1]] += count
        self._model = WittenBellInterpolated(order, counter=self._counter)
        self._known: dict[tuple[tuple[str, ...], str], float] = {}

    @classmethod
    def from_sentences(cls, sentences: Iterable[Sequence[str]], order: int = 3) -> NGrams:
        """Return the model of tokenised sentences."""
        counts: dict[tuple[str, ...], int] = {}
        for words in sentences:
            padded = (_BEGIN,) * (order - 1) + (*words, _END)
            for gram in everygrams(padded, max_len=order):
                counts[gram] = counts.get(gram, 0) + 1
        return cls(order, counts.items())

    def counts(self) -> list[tuple[tuple[str, ...], int]]:
        """Return what the constructor takes, in the order of training."""
        found: list[tuple[tuple[str, ...], int]] = [
            ((word,), count) for word, count in self._counter.unigrams.items()]
        for order in range(2, self.order + 1):
            found += [((*context, word), count)
                      for context, words in self._counter[order].items()
                      for word, count in words.items()]
        return found

    def log_prob(self, context: tuple[str, ...], word: str) -> float:
        """Return log p(word | context); of a word that is not in the sentences, -inf.

        Args:
            context: at most n - 1 words before.
            word: the word, or ``</s>`` for the end.
        """
        key = (context, word)
        known = self._known.get(key)
        if known is None:
            chance = self._model.unmasked_score(word, context)
            known = self._known[key] = math.log(chance) if chance > 0 else -math.inf
        return known

    def extend(self, context: tuple[str, ...],
               words: Iterable[str]) -> tuple[float, tuple[str, ...]]:
        """Return log p(words | context), and the context after them."""
        total = 0.0
        for word in words:
            total += self.log_prob(context, word)
            context = (*context, word)[-(self.order - 1):]
        return total, context

    def end(self, context: tuple[str, ...]) -> float:
        """Return the log probability that the sentence ends after ``context``."""
        return self.log_prob(context, _END)

    def most_probable(self) -> list[str]:
        """Return the most probable sentence whose n-grams are all in the training sentences."""
        # No step adds probability, so the first sentence that leaves the heap is the best.
        heap: list[tuple[float, tuple[str, ...], tuple[str, ...]]] = [(0.0, (), self.start)]
        done: set[tuple[str, ...]] = set()
        while heap:
            cost, words, context = heapq.heappop(heap)
            if words and words[-1] == _END:
                return [*words[:-1]]
            if context in done:
                continue
            done.add(context)
            for word in self._counter[self.order][context]:
                if words or word != _END:
                    heapq.heappush(heap, (cost - self.log_prob(context, word), (*words, word),
                                          (*context, word)[1:]))
        return []

    def sample(self, random: np.random.Generator) -> list[str]:
        """Return a sentence drawn word by word from the words that follow the same context."""
        words: list[str] = []
        context = self.start
        while True:
            following = self._counter[self.order][context]
            chances = np.array([*following.values()], float)
            word = [*following][random.choice(len(chances), p=chances / chances.sum())]
            if word == _END:
                return words
            words.append(word)
            context = (*context, word)[1:]
