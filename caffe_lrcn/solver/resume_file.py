"""The sidecar of a snapshot: what a .solverstate forgets and an exact resume needs.

A ``.resume`` file is a NumPy archive without pickled objects: ``header``, JSON text as bytes, and
``a0``, ``a1`` … the arrays that the JSON refers to.
"""
from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from ..errors import SnapshotError

FORMAT = 1
_ARRAY = "__array__"


@dataclass
class ResumeFile:
    """Contents of a sidecar.

    Args:
        iteration: iterations done.
        seed: the run's seed, drawn or given.
        written: time of writing in seconds since 1970, to tell which snapshot is newest.
        files: size and SHA-256 of the weights and the solver state, by file name.
        losses: state of the loss window.
        csv: size and CRC-32 of the CSV log, None without one.
        train: states of the train net's layers (data cursors, carried states, call counters).
        tests: the same for each test net.
        arithmetic: backend, type, precision and strictness of the run: what else the bits of its
            numbers depend on. Empty in files that were written before it was kept.
        scores: last and best values of the test nets' outputs; empty in older files, too.
        data: what was read, by path; see ``data_files``. Empty in older files, too.
        branch: how often trainings with this prefix had gone back to an earlier snapshot by then:
            of sets with different numbers, those with the smaller one were given up.
    """

    iteration: int
    seed: int
    written: float
    files: dict[str, dict[str, Any]]
    losses: dict[str, Any]
    csv: dict[str, int] | None = None
    train: dict[str, Any] = field(default_factory=dict)
    tests: list[dict[str, Any]] = field(default_factory=list)
    arithmetic: dict[str, Any] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    branch: int = 0


def write_resume_file(path: str, content: ResumeFile) -> None:
    """Write a sidecar.

    Raises:
        TypeError: a layer's state holds something other than numbers, text, arrays, lists, dicts.
        OSError: the file cannot be written.
    """
    arrays: dict[str, Any] = {}
    header = json.dumps({"format": FORMAT, **_pack(asdict(content), arrays)}).encode()
    arrays["header"] = np.frombuffer(header, np.uint8)
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def read_resume_file(path: str) -> ResumeFile:
    """Read a sidecar.

    Raises:
        SnapshotError: the file is damaged, or of a later format.
    """
    try:
        with open(path, "rb") as file:
            _check_archive(file, os.fstat(file.fileno()).st_size)
            with np.load(file, allow_pickle=False) as archive:
                header = json.loads(archive["header"].tobytes())
                if header.pop("format") == FORMAT:
                    return _checked(ResumeFile(**_unpack(header, archive)))
    except Exception as error:  # zipfile, NumPy and JSON raise whatever damage leads them to
        raise SnapshotError(f"the resume file is damaged: {error}", where=path,
                            remedy="Resume from another snapshot, or remove this file to go on "
                                   "from the .solverstate alone.") from None
    raise SnapshotError("the resume file has an unknown format", where=path,
                        remedy="It was written by a later version of this program.")


def _check_archive(file: BinaryIO, size: int) -> None:
    """See that unpacking takes no more memory than the file: we compress nothing."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        raise ValueError("it is a folder, a pipe or a device")
    with ZipFile(file) as archive:
        entries = archive.infolist()
    if any(entry.compress_type != ZIP_STORED or entry.flag_bits & 1 for entry in entries):
        raise ValueError("it is compressed or encrypted")
    if sum(entry.file_size for entry in entries) > size:
        raise ValueError("its parts are larger than itself")
    file.seek(0)


def _checked(content: ResumeFile) -> ResumeFile:
    """See that the fields are of the types that they should be."""
    kinds: dict[str, Any] = {"iteration": int, "seed": int, "written": (int, float), "files": dict,
                             "losses": dict, "csv": (dict, type(None)), "train": dict,
                             "tests": list, "arithmetic": dict, "scores": list, "data": dict,
                             "branch": int}
    for name, kind in kinds.items():
        if not isinstance(getattr(content, name), kind):
            raise TypeError(f"'{name}' is a {type(getattr(content, name)).__name__}")
    losses, csv = content.losses, content.csv or {"size": 0, "crc": 0}
    if not (isinstance(losses.get("losses"), list) and isinstance(losses.get("next"), int)
            and all(isinstance(loss, (int, float)) for loss in (*losses["losses"],
                                                                losses.get("mean")))):
        raise TypeError("the losses are not numbers")
    if set(csv) != {"size", "crc"} or not all(isinstance(item, int) for item in csv.values()):
        raise TypeError("'csv' is not a size and a checksum")
    for state in (content.train, *content.tests, content.data):
        if not isinstance(state, dict) or not all(isinstance(item, dict)
                                                  for item in state.values()):
            raise TypeError("a state is not one of layers")
    return content


def fingerprint(path: str) -> dict[str, Any]:
    """Return size and SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"size": os.path.getsize(path), "sha256": digest.hexdigest()}


def _pack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys of a layer's state must be text")
        return {key: _pack(item, arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_pack(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {_ARRAY: name}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a layer's state cannot hold a {type(value).__name__}")


def _unpack(value: Any, archive: Any) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            return archive[value[_ARRAY]]
        return {key: _unpack(item, archive) for key, item in value.items()}
    if isinstance(value, list):
        return [_unpack(item, archive) for item in value]
    return value
