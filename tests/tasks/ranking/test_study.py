"""What systems say about pictures becomes a study."""
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.tasks.ranking.media import MediaFolder
from caffe_lrcn.tasks.ranking.study import (
    MOST_SYSTEMS,
    LeftOut,
    Study,
    name_systems,
    read_sentences,
    read_study,
)
from tests.tasks.ranking.studies import SAID, make_study, write_pictures, write_systems


def test_items_are_those_of_the_files_in_their_order(tmp_path):
    study = make_study(tmp_path)
    assert study.systems == ("human", "lrcn", "nn")
    assert [(item.key, item.file) for item in study.items] == [
        ("red", "red.png"), ("green", "green.png"), ("blue", "blue.png")]
    assert study.items[0].sentences == ("A red square.", "A red thing.", "A dog.")


def test_all_forms_of_files_say_the_same(tmp_path):
    files = {
        "results.json": json.dumps([{"image_id": 7, "caption": "A  red thing."}]),
        "references.json": json.dumps({
            "images": [{"id": 7, "file_name": "x.png"}],
            "annotations": [{"image_id": 7, "caption": "A red thing."},
                            {"image_id": 7, "caption": "Another."}]}),
        "text.tsv": "7\tA red thing.\n\n7\tAnother.\n",
        "flickr.token.txt": "7#0\tA red thing.\n7#1\tAnother.\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        assert read_sentences(tmp_path / name) == {"7": "A red thing."}, name


@pytest.mark.parametrize("name, text, message", [
    ("a.tsv", "red A thing.\n", r"a\.tsv:1: not a line of sentences"),
    ("a.tsv", "red\tA thing.\ngreen\t \n", r"a\.tsv:2: not a line of sentences"),
    ("a.tsv", "\n", "holds no sentences"), ("a.json", "[]", "empty"),
    ("a.json", '[{"image_id": 1, "caption": " "}]', "the sentence for '1' is empty"),
    ("a.json", '[{"image_id": 1}]', "no 'caption'"), ("a.json", "{}", "COCO caption file"),
    ("a.json", '[{"image_id": 1, "caption": "a"}, {"image_id": 1, "caption": "b"}]', "second"),
    ("a.json", "[", "not JSON")])
def test_bad_files_are_refused_with_the_place(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_sentences(tmp_path / name)


def test_what_cannot_be_compared_is_left_out_and_counted(tmp_path):
    files = write_systems(tmp_path)
    files["nn"].write_text("red\tA dog.\nblue\tA blue square.\nyellow\tA cat.\n")
    files["lrcn"].write_text("red\tA red thing.\nblue\tA blue square.\n")
    study, left_out = read_study(files, MediaFolder(write_pictures(tmp_path / "p")))
    assert [item.key for item in study.items] == ["red"]
    assert left_out == LeftOut(unsaid=2, same=1)


def test_some_items_at_random_are_the_same_for_a_seed(tmp_path):
    files, folder = write_systems(tmp_path), MediaFolder(write_pictures(tmp_path / "p"))
    drawn = {seed: [item.key for item in read_study(files, folder, most=2, seed=seed)[0].items]
             for seed in range(8)}
    assert all(len(keys) == 2 for keys in drawn.values()) and len(set(map(str, drawn.values()))) > 1
    assert [item.key for item in read_study(files, folder, most=2, seed=3)[0].items] == drawn[3]


@pytest.mark.parametrize("count", [1, MOST_SYSTEMS + 1])
def test_too_few_and_too_many_systems(tmp_path, count):
    file = write_systems(tmp_path)["nn"]
    with pytest.raises(UsageError, match=f"got {count}, wanted 2 to 9"):
        read_study({str(n): file for n in range(count)}, MediaFolder(tmp_path))


def test_systems_that_have_nothing_in_common(tmp_path):
    files = write_systems(tmp_path)
    files["nn"].write_text("yellow\tA dog.\n")
    with pytest.raises(UsageError, match="'red' and 'yellow'"):
        read_study(files, MediaFolder(tmp_path))
    with pytest.raises(UsageError, match="all systems say the same"):
        read_study({"a": files["lrcn"], "b": files["lrcn"]}, MediaFolder(tmp_path))


def test_names_of_systems():
    assert name_systems(["LRCN FT=a.json", "out/nn.tsv"]) == {
        "LRCN FT": Path("a.json"), "nn": Path("out/nn.tsv")}
    for words in (["a.json", "b/a.json"], ["=a.json"]):
        with pytest.raises(UsageError, match="name"):
            name_systems(words)


def test_order_is_random_by_judge_and_item_and_always_the_same(tmp_path):
    said = {name: [f"{name} {n}" for n in range(3)] for name in "abcdef"}
    folder = MediaFolder(write_pictures(tmp_path / "p"))
    study, _ = read_study(write_systems(tmp_path, said), folder)
    orders = {str(study.order(judge, item)) for judge in ("Ann", "Bob") for item in range(3)}
    assert len(orders) > 4
    assert study.order("ann", 1) == study.order("Ann", 1)
    assert sorted(sum(study.order("Ann", 1), [])) == [*range(6)]
    # Over many judges each system is about as often at each place.
    first = [study.order(f"judge {n}", 0)[0][0] for n in range(600)]
    assert all(60 < first.count(system) < 140 for system in range(6))


def test_equal_sentences_are_shown_once(tmp_path):
    item = make_study(tmp_path).items[2]
    assert SAID["human"][2] == SAID["lrcn"][2] and item.groups == [[0, 1], [2]]


def test_the_id_depends_on_all_that_ranks_depend_on(tmp_path):
    study = make_study(tmp_path)
    assert Study.from_json(study.to_json()) == study
    other_item = replace(study.items[0], sentences=("x", "y", "z"))
    others = [replace(study, systems=("human", "lrcn", "x")), replace(study, criteria=("grammar",)),
              replace(study, items=study.items[1:]), replace(study, seed=1),
              replace(study, items=(other_item, *study.items[1:])),
              replace(study, items=(replace(study.items[0], file="b"), *study.items[1:]))]
    assert len({study.id, *(other.id for other in others)}) == 7
    said = [study.difference(other) for other in others]
    for words, text in zip(["systems human, lrcn, x instead", "criteria grammar", "2 instead of 3",
                            "--seed 1", "sentence of human for red", "file for red: b"],
                           said, strict=True):
        assert words in text
