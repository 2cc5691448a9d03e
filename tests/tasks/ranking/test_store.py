"""The database of a study: nothing that was saved is lost, and no other file is taken for one."""
from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.tasks.ranking.store import Judge, Rank, Store
from tests.tasks.ranking.studies import make_store, make_study


def one(judge, item, rank=1):
    return Rank(judge, item, "grammar", "nn", rank, 1)


def test_what_is_saved_is_read_again(tmp_path):
    store = make_store(tmp_path)
    ann, bob = store.enter("Ann"), store.enter("Bob")
    assert store.enter("ANN") == ann
    store.save(ann, 0, [one(ann, 0, 3)])
    store.save(ann, 0, [one(ann, 0, 2)])
    store.save(ann, 2, [one(ann, 2)])
    store.save(bob, 2, [one(bob, 2)])
    again = Store(store.path)
    assert again.study == store.study and again.token == store.token
    assert again.judges() == [Judge(ann, "Ann", 2), Judge(bob, "Bob", 1)]
    assert again.ranks(ann) == [one(ann, 0, 2), one(ann, 2)] and again.ranked(ann) == {0, 2}
    assert again.ranks(bob, 2) == [one(bob, 2)] and len(again.ranks()) == 3
    again.save(ann, 0, [])
    assert store.ranks(ann) == [one(ann, 2)]


def test_an_item_is_saved_whole_or_not_at_all(tmp_path):
    store = make_store(tmp_path)
    ann = store.enter("Ann")
    store.save(ann, 0, [one(ann, 0)])
    twice = [one(ann, 0, 2), one(ann, 0, 3)]  # the same row two times
    with pytest.raises(DataError, match="UNIQUE"):
        store.save(ann, 0, twice)
    assert store.ranks() == [one(ann, 0)]
    with pytest.raises(DataError, match="FOREIGN KEY"):
        store.save(99, 0, [one(99, 0)])


_KILLED = """
import sys
from pathlib import Path
from caffe_lrcn.tasks.ranking.store import Rank, Store
store = Store(Path(sys.argv[1]))
judge = store.enter("Ann")
for item in range(100_000):
    store.save(judge, item, [Rank(judge, item, c, s, 1, 1) for c in "ab" for s in "xyz"])
    print(item, flush=True)
"""


def test_kill_loses_nothing_that_was_saved(tmp_path):
    store = make_store(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(store.path)], text=True,
                               stdout=subprocess.PIPE)
    with process:
        for line in process.stdout:
            if int(line) == 20:
                os.kill(process.pid, signal.SIGKILL)
                break
        last = max([20, *map(int, process.stdout.read().split("\n")[:-1])])
    ranks = store.ranks()
    items = sorted({rank.item for rank in ranks})
    assert items in ([*range(last + 1)], [*range(last + 2)])
    assert len(ranks) == 6 * len(items)


def test_judges_save_at_the_same_time(tmp_path):
    store = make_store(tmp_path)
    patient = Store(store.path, patience=20)

    def rank(name):
        judge = patient.enter(name)
        for item in range(10):
            patient.save(judge, item, [one(judge, item)])

    threads = [threading.Thread(target=rank, args=(f"judge {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [judge.done for judge in store.judges()] == [10] * 4


def test_a_locked_study_is_refused(tmp_path):
    store = make_store(tmp_path)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for attempt in (lambda: Store(store.path, 0.05), store.check_writable, store.judges):
            with pytest.raises(DataError, match=r"study\.db: another program has locked"):
                attempt()
    store.check_writable()


def test_another_study_is_refused_and_told(tmp_path):
    store = make_store(tmp_path)
    study = make_study(tmp_path)
    assert Store.create(store.path, study, tmp_path).study == study
    other = replace(study, systems=("human", "lrcn", "vgg"))
    with pytest.raises(DataError, match="another study.*vgg instead of human.*--systems"):
        Store.create(store.path, other, tmp_path)


def test_a_study_that_was_changed_is_refused(tmp_path):
    store = make_store(tmp_path)
    with closing(sqlite3.connect(store.path)) as database:
        database.execute("UPDATE study SET definition = replace(definition, 'dog', 'cow')")
        database.commit()
    with pytest.raises(DataError, match="changed after"):
        Store(store.path)
    with closing(sqlite3.connect(store.path)) as database:
        database.execute("UPDATE study SET definition = '[]'")
        database.commit()
    with pytest.raises(DataError, match="damaged"):
        Store(store.path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.db"
    with pytest.raises(DataError, match="no such study"):
        Store(path)
    path.write_bytes(b"words" * 500)
    with pytest.raises(DataError, match="not the database of a study"):
        Store(path)
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE study (id)")
    for attempt in (lambda: Store(path), lambda: Store.create(path, make_study(tmp_path), path)):
        with pytest.raises(DataError, match="not the database of a study"):
            attempt()
    store = make_store(tmp_path)
    with closing(sqlite3.connect(store.path)) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(DataError, match="another version.*got 2, wanted 1"):
        Store(store.path)
    data = store.path.read_bytes()
    store.path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    with pytest.raises(DataError):
        Store(store.path).judges()


def test_names_that_mean_something_in_addresses(tmp_path):
    folder = tmp_path / "a?mode=memory#100%"
    store = make_store(folder)
    store.enter("Ann")
    assert (folder / "study.db").stat().st_size and len(Store(store.path).judges()) == 1
