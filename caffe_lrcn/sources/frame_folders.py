"""Videos as folders of pictures: what they are called, in which order, and what made them.

``ROOT/<name>/`` holds the pictures of a video, ``<stem>.0001.jpg`` and so on, where ``<stem>`` is
the last part of the name; pictures of flow are ``flow_image_<stem>.0002.jpg`` and so on, numbered
as the later picture of their pair. ``frames.json`` says how a folder was made. Folders that other
tools made are read as well.

Source: extract_frames.sh and create_flow_images_LRCN.m of the LRCN activity scripts.
"""
from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DataError
from .folder import ENDINGS, natural_order

ABOUT = "frames.json"
RGB, FLOW = "rgb", "flow"
_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>\d+)\.\w+", re.ASCII)


@dataclass(frozen=True)
class About:
    """How a folder was made.

    Args:
        kind: ``rgb`` or ``flow``.
        count: number of pictures.
        height, width: of each of them, pixels.
        rate: pictures per second of video; None if unknown.
        source: what they were made from: name, bytes, time of the last change.
        made: options that decide what the pictures look like, by name; folders with different
            ones do not go together.
    """

    kind: str
    count: int
    height: int
    width: int
    rate: float | None = None
    source: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write ``frames.json``."""
        (folder / ABOUT).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read_about(folder: Path) -> About | None:
    """Return how a folder was made; None if it does not say.

    Raises:
        DataError: ``frames.json`` is damaged.
    """
    path = folder / ABOUT
    try:
        about = About(**json.loads(path.read_text(encoding="utf-8")))
        if (about.kind in (RGB, FLOW) and isinstance(about.source, dict)
                and isinstance(about.made, dict)
                and all(type(n) is int and n > 0
                        for n in (about.count, about.height, about.width))):
            return about
        reason: object = "a value of the wrong kind"
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        reason = error
    raise DataError("the description of the frames is damaged", where=path, got=reason,
                    remedy="Remove the folder and make it again.")


def list_frames(folder: Path) -> list[str]:
    """Return the names of the pictures in a folder, in natural order.

    Raises:
        DataError: the folder cannot be read, has no pictures, or has fewer or more than its
            ``frames.json`` says.
    """
    try:
        names = [entry.name for entry in os.scandir(folder)
                 if entry.name.lower().endswith(ENDINGS)]
    except OSError as error:
        raise DataError("the folder of frames cannot be read", where=folder,
                        got=error.strerror) from None
    if not names:
        raise DataError("the folder has no pictures", where=folder,
                        wanted="pictures such as frame.0001.jpg")
    about = read_about(folder)
    if about and about.count != len(names):
        raise DataError("frames are missing, or too many", where=folder, got=len(names),
                        wanted=f"{about.count} as {ABOUT} says",
                        remedy="Remove the folder and make it again.")
    return sorted(names, key=natural_order)


def check_numbers(folder: Path, names: list[str]) -> None:
    """See that no picture is missing between others, in a folder that does not say how many it has.

    Names that differ in their number alone must rise in even steps; others may be anything.

    Args:
        folder: of the pictures.
        names: of all of them, in natural order.

    Raises:
        DataError: one is missing.
    """
    found = [match for name in names if (match := _NUMBERED.fullmatch(name))]
    if len(found) < len(names) or len({match["before"] for match in found}) > 1:
        return
    numbers = [int(match["number"]) for match in found]
    steps = [after - before for before, after in zip(numbers, numbers[1:], strict=False)]
    for place, step in enumerate(steps):
        if step != min(steps):
            raise DataError("frames are missing", where=folder,
                            got=f"'{names[place + 1]}' after '{names[place]}'",
                            wanted=f"numbers that rise by {min(steps)}",
                            remedy="Make the folder again, or number its pictures anew.")


def frame_name(stem: str, number: int) -> str:
    """Return the file name of a frame, numbered from 1."""
    return f"{stem}.{number:04d}.jpg"


def flow_name(frame: str) -> str:
    """Return the file name of the flow that ends at a frame."""
    return f"flow_image_{Path(frame).stem}.jpg"
