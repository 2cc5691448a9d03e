"""The file that remembers a study and its ranks: an SQLite database.

``study`` has one row; ``judges`` the names; ``ranks`` a row for each judge, item, criterion and
system: the rank that was chosen (1 is best) and the place at which the sentence was shown. All rows
of a judge's item are written in one transaction, which is on the disk when ``save`` returns.
"""
from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from ...files import refuse_planted
from .study import Study

# Of the file's header: "rank" in ASCII, and the version of the tables.
_APPLICATION, _VERSION = 0x72616E6B, 1
_TABLES = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE study (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL,
    definition TEXT NOT NULL, media TEXT NOT NULL, token TEXT NOT NULL);
CREATE TABLE judges (number INTEGER PRIMARY KEY, name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE);
CREATE TABLE ranks (judge INTEGER NOT NULL REFERENCES judges, item INTEGER NOT NULL,
    criterion TEXT NOT NULL, system TEXT NOT NULL, rank INTEGER NOT NULL, shown INTEGER NOT NULL,
    PRIMARY KEY (judge, item, criterion, system)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Judge:
    """Somebody who ranks: number, name, and how many items he or she has ranked."""

    number: int
    name: str
    done: int


@dataclass(frozen=True)
class Rank:
    """A rank as it was chosen: 1 is best; ``shown`` is the sentence's place on the page, from 1."""

    judge: int
    item: int
    criterion: str
    system: str
    rank: int
    shown: int


class Store:
    """A study's database; safe to use from several threads.

    Args:
        path: the file; it must exist (see ``create``).
        patience: seconds to wait while another program writes to it.

    Raises:
        DataError: it is missing, locked, damaged, or something else than a study.
    """

    def __init__(self, path: Path, patience: float = 5.0) -> None:
        self.path, self._patience = path, patience
        if not path.is_file():
            raise DataError("there is no such study", where=path,
                            remedy="'caffe-lrcn rank serve' makes one")
        with self._open() as database:
            if database.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
                raise DataError("this is not the database of a study", where=path)
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version != _VERSION:
                raise DataError("the study is of another version of this program", where=path,
                                got=version, wanted=_VERSION)
            row = database.execute("SELECT id, definition, media, token FROM study").fetchone()
        try:
            self.study = Study.from_json(row[1])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError("the study is damaged", where=path, got=repr(error)) from error
        if self.study.id != row[0]:
            raise DataError("the study was changed after it was made", where=path)
        self.media, self.token = Path(row[2]), str(row[3])

    @classmethod
    def create(cls, path: Path, study: Study, media: Path, patience: float = 5.0) -> Store:
        """Make the database of a study, or open it if it is there already.

        Raises:
            DataError: it cannot be made, or is the database of another study.
        """
        if not path.exists() or not path.stat().st_size:
            _make(path, study, media, patience)
        store = cls(path, patience)
        if store.study.id != study.id:
            raise DataError("this is the database of another study", where=path,
                            got=store.study.difference(study),
                            remedy="Name another file for the new study, or leave out --systems to "
                                   "go on with the old one.")
        return store

    def move_media(self, media: Path) -> None:
        """Remember another folder of the pictures and clips."""
        with self._open(write=True) as database:
            database.execute("UPDATE study SET media = ?", (os.path.abspath(media),))
        self.media = media

    def check_writable(self) -> None:
        """See that ranks can be written.

        Raises:
            DataError: the file is locked by another program, or read-only.
        """
        with self._open(write=True) as database:
            database.execute("UPDATE study SET token = token")

    def judges(self) -> list[Judge]:
        """Return the judges in the order in which they came."""
        with self._open() as database:
            return [Judge(*row) for row in database.execute(
                "SELECT number, name, COUNT(DISTINCT item) FROM judges "
                "LEFT JOIN ranks ON judge = number GROUP BY number ORDER BY number")]

    def enter(self, name: str) -> int:
        """Return the number of the judge of a name, who may be new; capitals do not matter."""
        with self._open(write=True) as database:
            database.execute("INSERT INTO judges (name, folded) VALUES (?, ?) "
                             "ON CONFLICT DO NOTHING", (name, name.casefold()))
            return int(database.execute("SELECT number FROM judges WHERE folded = ?",
                                        (name.casefold(),)).fetchone()[0])

    def ranked(self, judge: int) -> set[int]:
        """Return the items that a judge has ranked."""
        with self._open() as database:
            return {item for item, in database.execute(
                "SELECT DISTINCT item FROM ranks WHERE judge = ?", (judge,))}

    def ranks(self, judge: int | None = None, item: int | None = None) -> list[Rank]:
        """Return all ranks, or those of a judge, or of his or her item."""
        with self._open() as database:
            return [Rank(*row) for row in database.execute(
                "SELECT judge, item, criterion, system, rank, shown FROM ranks "
                "WHERE (?1 IS NULL OR judge = ?1) AND (?2 IS NULL OR item = ?2) "
                "ORDER BY judge, item, criterion, shown", (judge, item))]

    def save(self, judge: int, item: int, ranks: list[Rank]) -> None:
        """Write all ranks of a judge's item in place of those that were there; none removes them.

        Raises:
            DataError: they cannot be written; then those that were there stay.
        """
        with self._open(write=True) as database:
            database.execute("DELETE FROM ranks WHERE judge = ? AND item = ?", (judge, item))
            database.executemany("INSERT INTO ranks VALUES (?, ?, ?, ?, ?, ?)", [
                (judge, item, rank.criterion, rank.system, rank.rank, rank.shown)
                for rank in ranks])

    @contextmanager
    def _open(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        with _connect(self.path, "rw", self._patience) as database:
            if write:
                database.execute("BEGIN IMMEDIATE")
            yield database
            if write:
                database.execute("COMMIT")


def _make(path: Path, study: Study, media: Path, patience: float) -> None:
    refuse_planted(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _connect(path, "rwc", patience) as database:
        database.executescript(f"BEGIN IMMEDIATE; {_TABLES}")
        database.execute("INSERT INTO study VALUES (1, ?, ?, ?, ?)",
                         (study.id, study.to_json(), os.path.abspath(media),
                          secrets.token_urlsafe(32)))
        database.execute("COMMIT")


@contextmanager
def _connect(path: Path, mode: str, patience: float) -> Iterator[sqlite3.Connection]:
    """Open a database; what SQLite says becomes an error that tells what to do."""
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True,
                                   timeout=patience, isolation_level=None)
        try:
            # What is written is on the disk before the answer, so a power cut loses nothing.
            database.execute("PRAGMA synchronous = EXTRA")
            database.execute("PRAGMA foreign_keys = ON")
            yield database
        finally:
            database.close()  # what was not committed is undone
    except sqlite3.Error as error:
        text = str(error)
        if "locked" in text:
            raise DataError("another program has locked the study", where=path,
                            remedy="Close that program, and try again.") from error
        if "not a database" in text:
            raise DataError("this is not the database of a study", where=path) from error
        raise DataError(f"the study cannot be used: {text}", where=path) from error
