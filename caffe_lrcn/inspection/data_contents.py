"""What is in data that nets read: databases, HDF5 files, lists of pictures."""
from __future__ import annotations

import os
from typing import Any

from ..errors import DataError
from ..sources.datum import parse_datum
from ..sources.leveldb import LevelDbReader
from ..sources.listing import read_picture_list, read_text
from ..sources.lmdb_read import LmdbFile

Facts = dict[str, Any]


def folder_facts(path: str) -> tuple[str, Facts]:
    """Return the kind of a database's folder, and what is in it.

    Raises:
        DataError: it is not one, is damaged, or LevelDB's package is not installed.
    """
    if os.path.exists(os.path.join(path, "data.mdb")):
        return "LMDB database", _records(LmdbFile(path), path)
    if os.path.exists(os.path.join(path, "CURRENT")):
        return "LevelDB database", _records(LevelDbReader(path), path)
    raise DataError("this is a folder", where=path,
                    wanted="a file, or a database: a folder with data.mdb (LMDB) or CURRENT "
                           "(LevelDB)", remedy="Name the file in it")


def lmdb_facts(path: str) -> tuple[str, Facts]:
    """Return the same for the data file of an LMDB database."""
    return "LMDB database", _records(LmdbFile(path), path)


def list_facts(path: str) -> tuple[str, Facts] | None:
    """Return what a list of pictures or of data files holds; None if the text is not one."""
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    if not lines or any("{" in line or ":" in line.rpartition(" ")[2] for line in lines[:20]):
        return None
    if all(line.strip().endswith((".h5", ".hdf5")) for line in lines):
        return "list of HDF5 files", {"files": len(lines), "first": lines[0].strip()}
    if not all(line.rpartition(" ")[2].lstrip("-").isdecimal() for line in lines[:20]):
        return None
    pictures = read_picture_list(path)
    return "list of pictures", {
        "pictures": len(pictures), "first": pictures.names[0],
        "labels": f"{pictures.labels.min()} to {pictures.labels.max()}"}


def _records(database: LmdbFile | LevelDbReader, path: str) -> Facts:
    """Return the number of records, and what the first one holds."""
    try:
        first = database.find(0)
        if first is None:
            return {"records": 0}
        count = database.count
        facts: Facts = {"records": count if count is not None else "not counted",
                        "first key": first[0].decode("utf-8", "replace")}
        datum = parse_datum(first[1])
        shape = f"{datum.channels} x {datum.height} x {datum.width}"
        facts["first record"] = ("an encoded picture" if datum.encoded else
                                 f"{shape} {'bytes' if datum.data else 'floats'}")
        return facts | {"first label": datum.label}
    except DataError as error:
        error.where = error.where or path
        raise
    finally:
        database.close()
