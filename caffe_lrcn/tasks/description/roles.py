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
from dataclasses import replace

from ...errors import DataError, UsageError
from . import roles_hdf5, roles_json
from .role_records import Roles, Slot

__all__ = ["Roles", "Slot", "check_form", "moved", "read_roles", "video_paths", "write_roles"]

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
    return _READERS[check_form(path)](os.fspath(path))


def write_roles(path: str | os.PathLike[str], roles: Roles) -> None:
    """Write roles in the form that the file's name asks for: ``.json``, ``.h5`` or ``.hdf5``.

    Raises:
        DataError: the roles are not ones that can be read again, or the file cannot be written.
        UsageError: the name ends otherwise.
    """
    _WRITERS[check_form(path)](os.fspath(path), roles)


def check_form(path: str | os.PathLike[str]) -> str:
    """Return the form that the name of a file of roles asks for, as its ending.

    Raises:
        UsageError: it asks for none.
    """
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in _READERS:
        raise UsageError("the name of a file of roles must tell its form", got=os.fspath(path),
                         wanted="a name that ends in .json, .h5 or .hdf5")
    return suffix


def video_paths(roles: Roles) -> list[str]:
    """Return the paths of the videos, which count from the folder of the file of roles.

    Raises:
        DataError: a clip has no video.
    """
    missing = [name for name, video in zip(roles.ids, roles.videos, strict=True) if video is None]
    if missing:
        raise DataError(f"clip '{missing[0]}' has no video", where=roles.path,
                        remedy="Give --features.")
    folder = os.path.dirname(roles.path)
    return [os.path.join(folder, video) for video in roles.videos if video is not None]


def moved(roles: Roles, out: str | os.PathLike[str]) -> Roles:
    """Return roles with paths of videos that count from the folder of the file ``out``."""
    old, new = (os.path.dirname(os.path.abspath(path)) for path in (roles.path, out))
    videos = [video if video is None or os.path.isabs(video) or old == new
              else os.path.relpath(os.path.join(old, video), new) for video in roles.videos]
    return replace(roles, videos=videos)
