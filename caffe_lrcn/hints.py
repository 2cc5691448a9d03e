"""What errors propose: a name that was meant, an extra to be installed."""
from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 80  # characters of a name that is worth comparing


def nearest(name: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the known names that are spelt much like a name, the nearest first.

    Capital letters and underscores make no difference.
    """
    if len(name) > _LONGEST:
        return []
    folded: dict[str, str] = {}
    for item in known:
        folded.setdefault(_fold(item), item)
    return [folded[key] for key in get_close_matches(_fold(name), folded, most, cutoff)]


def misspelt(name: str, known: Iterable[str]) -> list[str]:
    """Return the known name that a name is a slip of the pen for, or nothing.

    A name that holds a known one and more (PSROIPooling, Pooling3D) is another thing, not a slip.
    """
    return [item for item in nearest(name, known, 1, 0.75)
            if not (_fold(item) in _fold(name) and len(_fold(name)) > len(_fold(item)) + 1)]


def did_you_mean(names: Iterable[str]) -> str | None:
    """Return the question whether one of these was meant; None without names."""
    listed = " or ".join(f"'{name}'" for name in names)
    return f"Did you mean {listed}?" if listed else None


def install(*extras: str) -> str:
    """Return how to install what one of these extras of the package needs.

    The package is not on the index of Python packages, so its name alone would not do.
    """
    commands = " or ".join(f"pip install '.[{extra}]'" for extra in extras)
    return f"Run {commands} in the checkout (for a wheel, write its path in place of the dot)"


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
