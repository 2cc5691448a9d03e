"""What a look at a definition finds: errors, warnings and notes, each with its place."""
from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import CaffeError
from ..printable import printable_lines

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass
class Problem:
    """One finding.

    Args:
        severity: ``error``, ``warning`` or ``note``.
        where: ``file:line:column``, or less if that is not known.
        text: the layer, what is wrong, and what to write instead.
        variants: the nets (phase and stages) that it was found in; none: the text itself.
    """

    severity: str
    where: str
    text: str
    variants: list[str] = field(default_factory=list)

    @classmethod
    def from_error(cls, error: CaffeError, severity: str = ERROR) -> Problem:
        """Return the finding for an error that was caught."""
        bare = copy.copy(error)
        bare.where = None
        return cls(severity, str(error.where or ""), str(bare))

    def line(self, all_variants: Iterable[str] = ()) -> str:
        """Return ``place: severity: text``, and in which variants if not in all of them."""
        partial = self.variants and set(self.variants) != set(all_variants)
        suffix = f" [{'; '.join(self.variants)}]" if partial else ""
        start = f"{self.where}: " if self.where else ""
        return printable_lines(f"{start}{self.severity}: {self.text}{suffix}")


def merge(problems: Iterable[Problem]) -> list[Problem]:
    """Return the findings by place, each once with all of its variants."""
    merged: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        key = (problem.severity, problem.where, problem.text)
        known = merged.setdefault(key, Problem(*key))
        known.variants += [name for name in problem.variants if name not in known.variants]
    return sorted(merged.values(), key=lambda problem: _position(problem.where))


def _position(where: str) -> tuple[str, int, int]:
    found = re.fullmatch(r"(.*?)(?::(\d+))?(?::(\d+))?", where, re.DOTALL)
    assert found is not None  # the pattern matches any text
    return found[1], int(found[2] or 0), int(found[3] or 0)
