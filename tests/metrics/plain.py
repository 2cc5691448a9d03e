"""BLEU, ROUGE-L and CIDEr-D written as their definitions read, to hold the fast ones against."""
from __future__ import annotations

import math
from collections import Counter


def grams(text: str, order: int) -> Counter:
    words = text.split()
    return Counter(tuple(words[i:i + order]) for i in range(len(words) - order + 1))


def bleu(candidates: list[str], references: list[list[str]]) -> list[float]:
    length = closest = 0
    right, guesses = [0] * 4, [0] * 4
    for candidate, texts in zip(candidates, references, strict=True):
        size = len(candidate.split())
        length += size
        closest += min((abs(len(text.split()) - size), len(text.split())) for text in texts)[1]
        for order in range(1, 5):
            found = grams(candidate, order)
            right[order - 1] += sum(min(count, max(grams(text, order)[gram] for text in texts))
                                    for gram, count in found.items())
            guesses[order - 1] += sum(found.values())
    penalty = min(1.0, math.exp(1 - closest / length)) if length else 0.0
    precisions = [(r + 1e-15) / (g + 1e-9) for r, g in zip(right, guesses, strict=True)]
    return [penalty * math.prod(precisions[:n]) ** (1 / n) for n in range(1, 5)]


def common(first: list[str], second: list[str]) -> int:
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for j, other in enumerate(second, 1):
            diagonal, row[j] = row[j], (diagonal + 1 if word == other
                                        else max(row[j], row[j - 1]))
    return row[-1]


def rouge(candidate: str, texts: list[str]) -> float:
    words = candidate.split(" ")
    sizes = [(common(words, text.split(" ")), len(text.split(" "))) for text in texts]
    precision = max(size / len(words) for size, _ in sizes)
    recall = max(size / length for size, length in sizes)
    if not precision:
        return 0.0
    return (1 + 1.2 ** 2) * precision * recall / (recall + 1.2 ** 2 * precision)


def cider(candidates: list[str], references: list[list[str]]) -> list[float]:
    images = len(candidates)
    frequency: Counter = Counter()
    for texts in references:
        frequency.update({gram for text in texts for n in range(1, 5) for gram in grams(text, n)})

    def vector(text: str, order: int) -> dict[tuple, float]:
        return {gram: count * (math.log(images) - math.log(max(1, frequency[gram])))
                for gram, count in grams(text, order).items()}

    def likeness(candidate: str, text: str, order: int) -> float:
        one, two = vector(candidate, order), vector(text, order)
        norms = math.hypot(*one.values()) * math.hypot(*two.values())
        shared = sum(min(value, two.get(gram, 0)) * two.get(gram, 0)
                     for gram, value in one.items())
        difference = (sum(grams(candidate, 2).values()) - sum(grams(text, 2).values()))
        return shared / norms * math.exp(-difference ** 2 / 72) if norms else 0.0

    return [10 * sum(likeness(candidate, text, order) for text in texts for order in range(1, 5))
            / 4 / len(texts) for candidate, texts in zip(candidates, references, strict=True)]
