"""How weights of one net get into another: layers under new names, layers left out."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import UsageError, WeightsError

if TYPE_CHECKING:
    from .net import Net
    from .weights import LoadReport


@dataclass(frozen=True)
class Rename:
    """A layer of a file, or several (``conv*``), and the name that it has in the net.

    Args:
        old: a name, or a pattern with one ``*``.
        new: a name, or a pattern with one ``*`` that stands for the same letters.
    """

    old: str
    new: str

    def __post_init__(self) -> None:
        if not self.old or not self.new or self.old.count("*") != self.new.count("*") or (
                self.old.count("*") > 1):
            raise UsageError("a rename takes two names, or two patterns with one * each",
                             got=str(self), wanted="old=new or old*=new*")

    def __str__(self) -> str:
        return f"{self.old}={self.new}"

    def apply(self, name: str) -> str | None:
        """Return the new name of a layer, or None if it is not the one that is meant."""
        start, star, end = self.old.partition("*")
        if not star:
            return self.new if name == self.old else None
        fits = (name.startswith(start) and name.endswith(end)
                and len(name) >= len(start) + len(end))
        return self.new.replace("*", name[len(start):len(name) - len(end)]) if fits else None


@dataclass(frozen=True)
class Transfer:
    """What differs from copying by layer name.

    Args:
        renames: the first that fits a layer of the file counts.
        ignore_mismatch: leave out layers whose parameters have other shapes, instead of refusing.
    """

    renames: tuple[Rename, ...] = ()
    ignore_mismatch: bool = False

    def rename(self, name: str) -> tuple[str, Rename | None]:
        """Return the name that a file's layer has in the net, and the rename that says so."""
        for rename in self.renames:
            new = rename.apply(name)
            if new is not None:
                return new, rename
        return name, None

    def check(self, net: Net, reports: Sequence[LoadReport]) -> None:
        """Refuse a rename that led from no layer of the files to one of the net.

        Args:
            net: the net that the weights went into.
            reports: of each file.

        Raises:
            WeightsError: there is one.
        """
        used = {rename for report in reports for rename in report.renames}
        for rename in self.renames:
            if rename not in used:
                names = [name for report in reports for name in report.names]
                raise WeightsError(
                    f"the rename {rename} fits nothing",
                    where=", ".join(report.source for report in reports),
                    wanted=f"a layer of the file ({', '.join(names)}) = a layer of the net "
                           f"({', '.join(net.params)})")


def parse_renames(texts: Iterable[str]) -> tuple[Rename, ...]:
    """Return what ``old=new`` texts say.

    Raises:
        UsageError: one of them is something else.
    """
    return tuple(Rename(old.strip(), new.strip())
                 for old, _, new in (text.partition("=") for text in texts))
