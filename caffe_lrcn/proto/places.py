"""Places in definition files, so that every later error can say file:line:column."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where a part of a definition was written.

    A path names a field from the top of the file downwards: repeated fields are followed by their
    index, singular ones are not, as in ``("layer", 3, "convolution_param", "pad", 0)``.

    Args:
        file: the file, as the user named it.
        positions: line and column (from 1) of the fields in the file, by path.
        prefix: path of the message that this place stands for.
    """

    file: str
    positions: Mapping[Path, tuple[int, int]] = field(default_factory=dict, repr=False,
                                                         hash=False)
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
