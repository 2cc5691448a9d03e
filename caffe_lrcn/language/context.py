"""What sentences are about: the values that a step net takes beside words and ``cont``."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Context:
    """What each of N sentences is about.

    Args:
        count: N.
        held: input -> (N, ...) values that it has at every word; the first value of an input that
            carries a recurrent state.
        read: input -> N arrays (F, ...) of the values that it has in F steps before the first
            word, such as a video's frames. F is the same for all inputs of a sentence, and may
            differ between sentences. Inputs that are not named have their held values.
        first: input -> (N, ...) values that it has at the first word alone, such as a mark that an
            encoder hands over there.

    ``read`` and ``first`` may name ``cont`` too, for a decoder that sleeps until the first word; it
    is otherwise 0 in the first step of a sentence and 1 after it.
    """

    count: int
    held: Mapping[str, np.ndarray] = field(default_factory=dict)
    read: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
    first: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return N."""
        return self.count

    def rows(self, chosen: np.ndarray | slice) -> Context:
        """Return the context of some of the sentences, in the order of ``chosen``."""
        numbers = np.arange(self.count)[chosen]
        return Context(len(numbers),
                       {name: values[chosen] for name, values in self.held.items()},
                       {name: [arrays[i] for i in numbers] for name, arrays in self.read.items()},
                       {name: values[chosen] for name, values in self.first.items()})

    def steps(self) -> np.ndarray:
        """Return F of each sentence, (N,)."""
        arrays = next(iter(self.read.values()), [()] * self.count)
        return np.array([len(values) for values in arrays], int)


#: What callers may give: a Context, or its held values by input, or those of the only input.
Given = np.ndarray | Mapping[str, np.ndarray] | Context
