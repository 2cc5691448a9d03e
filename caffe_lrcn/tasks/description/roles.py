"""Files of roles: the semantic input of video description, as JSON or HDF5.

JSON, to be written by hand or by a program::

    {"slots": [{"name": "activity", "labels": ["none", "cut", "peel"]}, ...],
     "clips": [{"id": "v1", "video": "videos/v1.avi",
                "roles": {"activity": "cut", ...},
                "probabilities": {"activity": [0.1, 0.7, 0.2], ...},
                "sentences": ["A person cuts a carrot.", ...]}, ...]}

All clips have ``roles``, or all have ``probabilities``, or both; each of them has all slots.
``video`` (a path from the file's folder) and ``sentences`` may be missing. Without ``roles`` the
label of a slot is the first maximum of its vector. With both, the label must be a maximum of the
vector, unless the file says ``"maximum": "joint"`` beside ``slots``: then the labels are the most
probable ones together (a CRF's MAP), which need not be the most probable ones alone.

HDF5 holds the same: see ``roles_hdf5``.
"""
from __future__ import annotations

import os
from collections.abc import Callable

from ...errors import UsageError
from . import roles_hdf5, roles_json
from .role_records import Roles, Slot

__all__ = ["Roles", "Slot", "read_roles", "write_roles"]

_READERS: dict[str, Callable[[str], Roles]] = {
    ".json": roles_json.read, ".h5": roles_hdf5.read, ".hdf5": roles_hdf5.read}
_WRITERS: dict[str, Callable[[str, Roles], None]] = {
    ".json": roles_json.write, ".h5": roles_hdf5.write, ".hdf5": roles_hdf5.write}


def read_roles(path: str | os.PathLike[str]) -> Roles:
    """Return the roles in a file whose name ends in ``.json``, ``.h5`` or ``.hdf5``.

    Raises:
        DataError: the file cannot be read or is of another form; a slot, a label or a vector is
            missing or wrong. The message tells the clip.
        UsageError: the name ends otherwise.
    """
    return _READERS[_suffix(path)](os.fspath(path))


def write_roles(path: str | os.PathLike[str], roles: Roles) -> None:
    """Write roles in the form that the file's name asks for: ``.json``, ``.h5`` or ``.hdf5``.

    Raises:
        DataError: the roles are not ones that can be read again, or the file cannot be written.
        UsageError: the name ends otherwise.
    """
    _WRITERS[_suffix(path)](os.fspath(path), roles)


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in _READERS:
        raise UsageError("the name of a file of roles must tell its form", got=os.fspath(path),
                         wanted="a name that ends in .json, .h5 or .hdf5")
    return suffix
