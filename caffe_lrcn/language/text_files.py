"""Text and JSON files, read with errors that name the file and the place."""
from __future__ import annotations

import json
from pathlib import Path
from reprlib import Repr
from typing import Any

from ..errors import DataError
from ..files import read_lines

_BRIEF = Repr()
_BRIEF.maxstring = _BRIEF.maxother = 60


def brief(value: Any) -> str:
    """Return a value from a file as text for a message: long or deep ones are cut."""
    return _BRIEF.repr(value)


def is_name(text: str) -> bool:
    """Tell whether text can name a file and stand on a line of a list."""
    try:
        return bool(text) and not any(mark in text for mark in "\0\n\r") and bool(text.encode())
    except UnicodeEncodeError:  # half a character, which JSON can spell
        return False


def read_text(path: str | Path, what: str) -> str:
    """Return the UTF-8 text of a file, without a byte-order mark.

    Args:
        path: the file.
        what: what it holds, in the plural, for messages.

    Raises:
        DataError: the file cannot be read, or is not UTF-8.
    """
    try:
        return read_lines(path, "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the {what} are not UTF-8 text", where=path, got=error) from error
    except OSError as error:
        raise DataError(f"cannot read the {what}: {error.strerror}", where=path) from error

def read_json(path: str | Path, what: str, wanted: str, remedy: str = "") -> Any:
    """Return the value in a JSON file.

    Args:
        path, what: as for ``read_text``.
        wanted, remedy: of the error where it is not JSON.

    Raises:
        DataError: the file cannot be read, or is not JSON.
    """
    text = read_text(path, what)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"the {what} are not JSON: {error.msg}", wanted=wanted, remedy=remedy,
                        where=f"{path}:{error.lineno}:{error.colno}") from error
    except ValueError as error:  # a number of thousands of digits
        raise DataError(f"the {what} cannot be read: {error}", where=path) from error
    except RecursionError as error:
        raise DataError(f"the {what} are nested too deep", where=path, wanted=wanted) from error
