"""The study of video description on a tiny setting: data, runs, cache, tables, orderings."""
from __future__ import annotations

from pathlib import Path

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.language.result_files import read_result_captions
from caffe_lrcn.layer_types.base import Settings
from caffe_lrcn.tasks.reproduction.description import DescriptionStudy
from caffe_lrcn.tasks.reproduction.findings import HOLDS, MEAN_ONLY, ONE_SEED, UNKNOWN
from caffe_lrcn.tasks.reproduction.study import do_runs, read_runs
from caffe_lrcn.tasks.toy_roles.demo import Size
from caffe_lrcn.tasks.toy_roles.systems import scores

pytest.importorskip("av")
OUT = Path("out/reproduce-description")
DONE = ("noisy-smt_max", "noisy-a", "noisy-c", "poolmean", "blind", "blind-drawn", "pixels-b")


def study(seeds: int = 1, iterations: int = 2) -> DescriptionStudy:
    return DescriptionStudy(OUT, seeds, Settings(workers=0), iterations=iterations,
                            size=Size(4, 6, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with data and some of the runs."""
    path = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        study().make_data(lambda line: None)
        do_runs([run for run in study().runs() if run.name in DONE], OUT, print)
    return path


@pytest.fixture(autouse=True)
def _there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def test_runs_come_table_by_table_and_seed_by_seed():
    runs = study(2).runs()
    assert len({(run.name, run.seed) for run in runs}) == len(runs) == 2 * (9 + 5)
    assert [run.seed for run in runs] == [1] * 9 + [2] * 9 + [1] * 5 + [2] * 5
    assert [run.name for run in runs[:9]] == [
        "noisy-smt_max", "noisy-smt_prob", "noisy-a", "noisy-b", "noisy-c", "poolmean", "s2vt",
        "blind", "blind-drawn"]
    assert all(run.name.startswith("pixels-") for run in runs[18:])
    assert len({run.fingerprint for run in runs}) == len(runs)


def test_an_encoder_decoder_trains_five_times_as_long():
    runs = {run.name: run for run in study().runs()}
    assert (runs["noisy-a"].folder(OUT) / "net_iter_10.caffemodel").exists()
    assert (runs["noisy-c"].folder(OUT) / "net_iter_2.caffemodel").exists()


def test_figures_are_those_of_the_sentences_that_were_kept():
    runs = [run for run in study().runs() if run.name in DONE]
    figures = read_runs(runs, OUT)
    assert len(figures) == len(DONE)
    for run in runs:
        said = read_result_captions(run.folder(OUT) / "results.json")
        roles = study()._material("noisy").roles("test")
        assert sorted(said) == sorted(roles.ids)
        assert figures[run.name, 1]["BLEU-4"] == pytest.approx(scores(said, roles)["BLEU-4"])


def test_other_roles_features_or_iterations_are_other_runs():
    def prints() -> dict[str, str]:
        return {run.name: run.fingerprint for run in study().runs()}
    before = prints()
    assert set(before.values()).isdisjoint(
        run.fingerprint for run in study(iterations=3).runs() if "blind" not in run.name)
    for path, changed in (
            (study()._material("pixels").roles_file("test"), "pixels-"),
            (study()._material("noisy").features, ("poolmean", "s2vt"))):
        content = path.read_bytes()
        try:
            path.write_bytes(content + b" ")
            after = prints()
        finally:
            path.write_bytes(content)
        assert {name for name in after if after[name] != before[name]} == {
            name for name in before if name.startswith(changed)}


def test_tables_and_orderings():
    figures = {(name, seed): {"BLEU-4": value + seed} for seed in (1, 2, 3) for name, value in (
        ("noisy-c", 70.0), ("noisy-b", 60.0), ("noisy-a", 59.0), ("poolmean", 40.0),
        ("blind", 10.0), ("pixels-c", 80.0))}
    figures["noisy-smt_max", 1] = {"BLEU-4": 50.0}
    found = study(3).findings(figures)
    noisy, pixels = (dict(table.rows) for table in found.tables)
    assert noisy["(c) decoder, probabilities"][0].mean == 72
    assert noisy["(c) decoder, probabilities"][0].paper == "28.8"
    assert pixels["(c) decoder, probabilities"][0].mean == 82
    assert noisy["mean pooling"] == pixels["mean pooling"]
    verdicts = {item.text: item.verdict for item in found.orderings}
    assert verdicts["(c) before (b), simulated"] == HOLDS
    assert verdicts["(b) before (a), simulated"] == MEAN_ONLY
    assert verdicts["(a) before SMT of maxima, simulated"] == ONE_SEED
    assert verdicts["(c) before SMT of a lattice, pixels"] == UNKNOWN
    assert verdicts["mean pooling before what sees nothing"] == HOLDS
    assert len(found.orderings) == len(verdicts) == 5 + 7 + 5 + 5


def test_the_command_shows_what_is_done(capsys):
    assert main(["reproduce", "description", "--seeds", "1", "--iterations", "2",
                 "--only-tables"]) == 0
    said = capsys.readouterr().out
    assert "not run yet" in said and "(28.8)" in said and f"{OUT}/index.html" in said
    assert "SMT of a lattice" in (OUT / "index.html").read_text()


@pytest.mark.parametrize(("flags", "message"), [
    (["--seeds", "0"], "--seeds must be positive"),
    (["--iterations", "0"], "--iterations must be positive"),
    (["--groups", "2"], "--groups is out of range"),
    (["--groups", "4", "--out", str(OUT)], "other settings")])
def test_impossible_settings(flags, message, capsys):
    assert main(["reproduce", "description", *flags]) == 1
    assert message in capsys.readouterr().err
