"""``caffe-lrcn rank``: flags, messages, Ctrl-C and the report's files."""
from __future__ import annotations

import json
import socket
import sqlite3
import sys
import urllib.request
from contextlib import closing

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.tasks.ranking.store import Rank, Store
from tests.tasks.ranking.serving import Served
from tests.tasks.ranking.studies import make_store, write_pictures, write_systems


def serve_words(folder, *more):
    systems = [f"{name}={path}" for name, path in write_systems(folder).items()]
    return ["study.db", "--systems", *systems, "--media", str(write_pictures(folder / "pictures")),
            *more]


def failing(capsys, *words):
    """Run ``rank`` with words, and return what it complains about."""
    assert main(["rank", *words]) == 1
    return capsys.readouterr().err


def rank_everything(store, judge):
    """Save the same ranks for all items: those of the systems' order."""
    number = store.enter(judge)
    for item in range(len(store.study.items)):
        store.save(number, item, [Rank(number, item, criterion, system, place, place)
                                  for criterion in store.study.criteria
                                  for place, system in enumerate(store.study.systems, 1)])


def test_serve_makes_a_study_and_ends_cleanly_at_ctrl_c(tmp_path):
    pytest.importorskip("flask")
    with Served(tmp_path, *serve_words(tmp_path)) as served:
        assert served.head.startswith("3 items, 3 systems; study ")
        with urllib.request.urlopen(served.address) as answer:
            assert b"Your name" in answer.read()
        rank_everything(Store(tmp_path / "study.db"), "Ann")
        code, out, err = served.interrupt()
    assert (code, err) == (0, "")
    assert out == "\n3 rankings of 1 judge are in study.db\n"
    assert sorted(path.name for path in tmp_path.glob("study.db*")) == ["study.db"]


@pytest.fixture
def taken():
    """A port that another program has: serving stops there, when the study is made."""
    pytest.importorskip("flask")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


def test_a_port_in_use(tmp_path, capsys, taken):
    make_store(tmp_path)
    assert f"port {taken} of this machine cannot be used" in failing(
        capsys, "serve", str(tmp_path / "study.db"), "--port", taken)


@pytest.mark.parametrize("words, message", [
    (["serve", "new.db"], "Give --systems and --media"),
    (["serve", "new.db", "--systems", "a=human.tsv", "b=nn.tsv"], "--media is missing"),
    (["serve", "new.db", "--systems", "a=human.tsv", "--media", "pictures"], "wanted 2 to 9"),
    (["serve", "new.db", "--systems", "a=human.tsv", "b=x.tsv", "--media", "pictures"], "x.tsv"),
    (["serve", "new.db", "--systems", "a=human.tsv", "b=nn.tsv", "--media", "none"], "none"),
    (["serve", "new.db", "--systems", "a=human.tsv", "b=nn.tsv", "--media", "pictures",
      "--items", "0"], "--items"),
    (["serve", "study.db", "--port", "65536"], "no such port"),
    (["serve", "study.db", "--items", "2"], "--items is for a new study"),
    (["serve", "study.db", "--systems", "a=human.tsv", "b=nn.tsv", "--media", "pictures"],
     "another study"),
    (["serve", "study.db", "--media", "."], "is missing"),
    (["report", "study.db"], "nothing has been ranked"), (["report", "none.db"], "no such study"),
    (["report", "human.tsv"], "not the database of a study"),
    (["report", "study.db", "--confidence", "100"], "--confidence"),
    (["report", "study.db", "--samples", "0"], "--samples")])
def test_words_that_make_no_sense(tmp_path, monkeypatch, capsys, words, message):
    pytest.importorskip("flask")
    make_store(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert message in failing(capsys, *words)
    assert not (tmp_path / "new.db").exists()


def test_serve_says_how_to_install_flask(tmp_path, monkeypatch, capsys):
    make_store(tmp_path)
    monkeypatch.setitem(sys.modules, "flask", None)
    assert "pip install '.[rank]'" in failing(capsys, "serve", str(tmp_path / "study.db"))


def test_a_locked_study_is_not_served(tmp_path, capsys, monkeypatch):
    pytest.importorskip("flask")
    path = make_store(tmp_path).path
    monkeypatch.setattr(Store.__init__, "__defaults__", (0.05,))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "another program has locked the study" in failing(capsys, "serve", str(path))


def test_what_is_left_out_is_said(tmp_path, capsys, monkeypatch, taken):
    monkeypatch.chdir(tmp_path)
    words = serve_words(tmp_path)
    (tmp_path / "nn.tsv").write_text("red\tA dog.\nblue\tA blue square.\n")
    assert ("note: 1 left out, since not every system says something about it\n"
            "note: 1 left out, since all systems say the same about it\n"
            ) in failing(capsys, "serve", *words, "--port", taken)
    assert len(Store(tmp_path / "study.db").study.items) == 1


def test_ids_name_the_files(tmp_path, capsys, monkeypatch, taken):
    monkeypatch.chdir(tmp_path)
    write_pictures(tmp_path / "pictures")
    for name in "ab":
        (tmp_path / f"{name}.json").write_text(json.dumps([{"image_id": 7, "caption": name}]))
    (tmp_path / "ids.json").write_text(json.dumps({"images": [
        {"id": 7, "file_name": "blue.png"}]}))
    words = ["serve", "s.db", "--systems", "a.json", "b.json", "--media", "pictures",
             "--port", taken]
    assert "--ids" in failing(capsys, *words)
    assert taken in failing(capsys, *words, "--ids", "ids.json")
    assert Store(tmp_path / "s.db").study.items[0].file == "blue.png"


def test_report(tmp_path, capsys):
    store = make_store(tmp_path)
    for judge in ("Ann", "Bob"):
        rank_everything(store, judge)
    table, page = tmp_path / "out/r.json", tmp_path / "out/r.html"
    assert main(["rank", "report", str(store.path), "--json", str(table), "--html",
                 str(page)]) == 0
    assert capsys.readouterr().out == f"""\
study {store.study.id}: 3 systems, 3 of 3 items ranked
rankings by judge: Ann 3, Bob 3
3 items ranked by two judges or more
mean ranks (1 is best) with 95% confidence intervals

                      correctness        grammar            relevance
human                 1.00 [1.00, 1.00]  1.00 [1.00, 1.00]  1.00 [1.00, 1.00]
lrcn                  2.00 [2.00, 2.00]  2.00 [2.00, 2.00]  2.00 [2.00, 2.00]
nn                    3.00 [3.00, 3.00]  3.00 [3.00, 3.00]  3.00 [3.00, 3.00]

Kendall's W           1.00               1.00               1.00
Kendall's tau-b       1.00               1.00               1.00
Krippendorff's alpha  1.00               1.00               1.00
"""
    found = json.loads(table.read_text())
    assert found["judges"] == {"Ann": 3, "Bob": 3} and found["rankings"] == 6
    assert found["criteria"]["grammar"]["systems"]["nn"] == {"mean": 3, "interval": [3, 3]}
    assert found["criteria"]["grammar"]["agreement"]["kendall_w"] == 1
    assert "<title>Ranks of 3 systems</title>" in page.read_text()


def test_report_needs_no_flask_and_works_while_somebody_ranks(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "flask", None)
    store = make_store(tmp_path)
    rank_everything(store, "Ann")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert main(["rank", "report", str(store.path)]) == 0
    out = capsys.readouterr().out
    assert "0 items ranked by two judges or more" in out and "Kendall's W           –" in out
