"""Places in definition files, so that every later error can say file:line:column."""
from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]


class Positions:
    """Where the fields of a text stand, by path; kept as offsets, which take little memory.

    Args:
        lines: offset of the beginning of each line.
    """

    def __init__(self, lines: Sequence[int] = (0,)) -> None:
        self._lines = lines
        self._fields: dict[Path, int] = {}
        self._values: dict[Path, array[int]] = {}

    def add(self, path: Path, offset: int) -> None:
        """Note a field that is a message, or that takes one value."""
        self._fields[path] = offset

    def add_value(self, path: Path, offset: int) -> None:
        """Note the next value of a repeated field; the path is without its index."""
        values = self._values.get(path)
        if values is None:
            values = self._values[path] = array("q")
        values.append(offset)

    def get(self, path: Path) -> tuple[int, int] | None:
        """Return line and column, from 1, of a field; None if it was not written."""
        offset = self._fields.get(path)
        if offset is None and path and isinstance(path[-1], int):
            values = self._values.get(path[:-1], ())
            offset = values[path[-1]] if path[-1] < len(values) else None
        return None if offset is None else self.where(offset)

    def where(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1, of an offset into the text."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


@dataclass(frozen=True)
class Place:
    """Where a part of a definition was written.

    A path names a field from the top of the file downwards: repeated fields are followed by their
    index, singular ones are not, as in ``("layer", 3, "convolution_param", "pad", 0)``.

    Args:
        file: the file, as the user named it.
        positions: where the fields of the file stand, by path.
        prefix: path of the message that this place stands for.
    """

    file: str
    positions: Positions = field(default_factory=Positions, repr=False, hash=False)
    prefix: Path = ()

    @classmethod
    def nowhere(cls, label: str) -> Place:
        """Make the place of a definition that was built in a program; errors show the label."""
        return cls(label)

    def at(self, *path: str | int) -> str:
        """Return "file:line:column" of a field below this place, or of its nearest known ancestor.

        Only the file is returned if none of them has a known position.
        """
        full = self.prefix + path
        for length in range(len(full), 0, -1):
            position = self.positions.get(full[:length])
            if position:
                return f"{self.file}:{position[0]}:{position[1]}"
        return self.file

    def child(self, *path: str | int) -> Place:
        """Return the place of a message below this one."""
        return Place(self.file, self.positions, self.prefix + path)

    def __str__(self) -> str:
        return self.at()
