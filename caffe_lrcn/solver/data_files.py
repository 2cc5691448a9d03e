"""What a training reads, in a few numbers each: to tell after a break whether it is still the same.

Lists, means and small files are hashed whole, of large ones samples all over the file; databases
tell their number of records and their first and last key. Times of change do not count.
"""
from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import h5py

from .. import glog
from ..errors import CaffeError, DataError, SnapshotError
from ..hdf5_files import hdf5_errors
from ..net.net import Net
from ..paths import resolve
from ..sources.leveldb import LevelDbReader
from ..sources.listing import read_file_list
from ..sources.lmdb_read import LmdbFile

_WHOLE, _SAMPLES, _SAMPLE = 8 << 20, 64, 4096
#: Attributes of caption streams: the vocabulary that their ids are of.
VOCABULARY, VOCABULARY_IDS = "vocabulary_sha256", "vocabulary_ids"

Facts = dict[str, dict[str, Any]]


def data_facts(nets: Sequence[Net]) -> Facts:
    """Return path -> facts of all files and databases that the layers of some nets name.

    The facts are ``size`` and ``sha256``, of lists ``records``, of LMDB databases ``records``,
    ``first`` and ``last`` key, of LevelDB databases the ``sha256`` of their first and last record
    alone, of caption streams the vocabulary. What cannot be read has none.
    """
    found: Facts = {}
    for net in nets:
        for field, path in _named(net):
            if path not in found and os.path.exists(path):
                with suppress(OSError, CaffeError):
                    found[path] = _facts(path)
                    _add_listed(field, path, found)
    return found


def compare(before: Facts, now: Facts, snapshot: str) -> None:
    """Warn by name of each file that is not what it was when a snapshot was taken.

    Raises:
        SnapshotError: a list or a database has fewer records, so that the saved position in it
            means nothing.
    """
    for path, old in before.items():
        new = now.get(path)
        if new is None or new == old:
            continue
        if new.get("records", 0) < old.get("records", 0):
            raise SnapshotError(
                f"the data became fewer since the snapshot {snapshot} was taken", where=path,
                got=f"{new['records']} records", wanted=f"{old['records']}",
                remedy="Restore the file; or begin a new run from the snapshot's weights with "
                       "--weights; or remove the .resume file to go on at the data's beginning")
        glog.warning(f"{path} has changed since the snapshot was taken ({_difference(old, new)}): "
                     "the run goes on with other data than it began with")
    # A file that moved has another name; only what both runs name can be compared.
    gone = [path for path in before if path not in now]
    if gone:
        glog.warning(f"The snapshot comes from a run that read {', '.join(sorted(gone)[:5])}"
                     f"{' and others' if len(gone) > 5 else ''}; this one does not")


def one_vocabulary(facts: Facts) -> str:
    """Return the SHA-256 of the vocabulary of caption streams; '' if they tell none.

    If they have ids of different vocabularies, that is logged, and the result is ''.
    """
    known: dict[str, str] = {}
    for path, fact in facts.items():
        if VOCABULARY in fact:
            known.setdefault(fact[VOCABULARY], path)
    if len(known) > 1:
        glog.warning(f"The word ids in {' and '.join(known.values())} are those of different "
                     "vocabularies: the nets learn or test nonsense")
    return next(iter(known)) if len(known) == 1 else ""


class Watched:
    """Tells once of each data file that is replaced or changed while a training reads it.

    Args:
        paths: the files and databases.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._seen = {path: _identity(path) for path in paths}

    def look(self) -> None:
        """Warn of what has changed since the last look."""
        for path, before in self._seen.items():
            now = _identity(path)
            if now != before:
                self._seen[path] = now
                what = "is gone" if now is None else "was replaced or changed"
                glog.warning(f"{path} {what} while the training reads it: it goes on with what it "
                             "has open; stop and resume to read the new data")


def _identity(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(_content(path))
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _content(path: str) -> str:
    """Return the file that stays the same while a database does, or else the path itself."""
    for name in ("data.mdb", "LOCK"):
        if os.path.exists(os.path.join(path, name)):
            return os.path.join(path, name)
    return path


def _named(net: Net) -> Iterator[tuple[str, str]]:
    """Yield message.field and path of each file that a layer's definition names for reading."""
    for node in net.nodes:
        for message, value in node.layer.param.ListFields():
            if message.message_type is None or message.is_repeated:
                continue
            for field in ("source", "mean_file"):
                name = getattr(value, field, "")
                if name and isinstance(name, str):
                    yield (f"{message.name}.{field}", resolve(name, node.place.file))


def _facts(path: str) -> dict[str, Any]:
    if os.path.exists(os.path.join(path, "CURRENT")):  # LevelDB, which rewrites it when it opens
        leveldb = LevelDbReader(path)
        try:
            ends = [part for record in leveldb.ends() for part in record]
        finally:
            leveldb.close()
        return {"sha256": hashlib.sha256(b"\0".join(ends)).hexdigest()}
    content = _content(path)
    facts: dict[str, Any] = {"size": os.path.getsize(content), "sha256": _sampled(content)}
    if content.endswith("data.mdb"):
        database = LmdbFile(path)
        try:
            facts["records"] = database.count
            for name, index in (("first", 0), ("last", database.count - 1)):
                record = database.find(index) if database.count else None
                facts[name] = record[0].hex() if record else None
        finally:
            database.close()
    return facts


def _add_listed(field: str, path: str, found: Facts) -> None:
    """Count the entries of a list; add the facts of the files that an HDF5 list names."""
    if field in ("image_data_param.source", "video_data_param.source"):
        with open(path, "rb") as file:
            found[path]["records"] = sum(1 for line in file if line.strip())
    elif field == "hdf5_data_param.source":
        rows = 0
        for name in read_file_list(path):
            part = resolve(name, path)
            if part not in found:
                found[part] = _facts(part)
                with hdf5_errors(part, DataError), h5py.File(part, "r") as file:
                    found[part]["records"] = max((len(item) for item in file.values()
                                                  if getattr(item, "shape", ())), default=0)
                    for key in (VOCABULARY, VOCABULARY_IDS):
                        if key in file.attrs:
                            value = file.attrs[key]
                            found[part][key] = value if isinstance(value, str) else int(value)
            rows += found[part]["records"]
        found[path]["records"] = rows


def _sampled(path: str) -> str:
    size, digest = os.path.getsize(path), hashlib.sha256()
    with open(path, "rb") as file:
        if size <= _WHOLE:
            digest.update(file.read())
        else:
            for number in range(_SAMPLES):
                file.seek((size - _SAMPLE) * number // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    for key, word in (("records", "records"), ("size", "bytes")):
        if old.get(key) != new.get(key):
            return f"{old.get(key)} {word} then, {new.get(key)} now"
    return "other vocabulary" if old.get(VOCABULARY) != new.get(VOCABULARY) else "other content"
