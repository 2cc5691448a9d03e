"""``conversion.json``: what the streams of a data set were made from, beside its vocabulary."""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ... import __version__
from ...errors import DataError
from ...files import new_file
from ...solver.resume_file import fingerprint

NAME = "conversion.json"


def sources(files: Iterable[Path | None]) -> dict[str, Any]:
    """Return path -> size and SHA-256 of the files that are converted.

    Raises:
        DataError: one cannot be read.
    """
    found = {}
    for file in files:
        if file is not None:
            try:
                found[str(file)] = fingerprint(str(file))
            except OSError as error:
                raise DataError(f"it cannot be read: {error.strerror}", where=file) from None
    return found


def read(out: Path, folder: Path) -> dict[str, Any] | None:
    """Return what is written of a folder of streams; None if nothing is.

    Raises:
        DataError: the file is damaged.
    """
    entry = _read_all(out).get(str(folder.relative_to(out)))
    return entry if isinstance(entry, dict) else None


def write(out: Path, folder: Path, entry: Mapping[str, Any]) -> None:
    """Note what a folder of streams was made from.

    Raises:
        DataError: the file cannot be written, or what is there is damaged.
    """
    everything = _read_all(out)
    everything[str(folder.relative_to(out))] = {**entry, "version": __version__}
    with new_file(out / NAME, DataError, "the record of the conversion") as file:
        json.dump(everything, file, indent=1)


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words what differs; the version of the program does not count."""
    told = []
    for key in sorted({*before, *now} - {"version"}):
        old, new = before.get(key), json.loads(json.dumps(now.get(key)))
        if old == new:
            continue
        if key == "sources" and isinstance(old, dict) and isinstance(new, dict):
            # Files that only moved are the same.
            then, today = list(old.values()), list(new.values())
            told += [f"{path} has changed or was not used then" for path in new
                     if new[path] not in then]
            told += [f"made from {path} as it was" for path in old if old[path] not in today]
        else:
            told.append(f"{key} {old} then, {new} now")
    return told


def _read_all(out: Path) -> dict[str, Any]:
    path = out / NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"the record of the conversion is damaged: {error}", where=path,
                        remedy="Convert anew, with --force.") from None
    return found if isinstance(found, dict) else {}
