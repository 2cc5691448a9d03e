from __future__ import annotations

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.language.caption_files import read_captions
from caffe_lrcn.tasks.toy.attributes import NAMES, attributes
from caffe_lrcn.tasks.toy.dataset import SPLITS, read_scenes, write_dataset
from caffe_lrcn.tasks.toy.judge import judge

_IMAGES = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("data") / "toy"
    assert main(["data", "toy", "--out", str(out), "--images", str(_IMAGES), "--seed", "3"]) == 0
    return out


def _digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.suffix in (".png", ".json", ".txt")}


@pytest.mark.parametrize("split", SPLITS)
def test_split(folder, split):
    scenes = read_scenes(folder / f"captions_{split}.json")
    captions = read_captions("coco", folder / f"captions_{split}.json")
    assert len(scenes) == SPLITS[split](_IMAGES)
    assert len(captions) == 5 * len(scenes)
    assert all(judge(caption.text, scenes[caption.picture]).right for caption in captions)
    assert {scene.unseen for scene in scenes.values()} == {split == "test_unseen"}
    for name in scenes:
        with Image.open(folder / "images" / name) as picture:
            assert picture.size == (64, 64) and picture.mode == "RGB"


def test_at_least_half_of_the_pictures_show_two_things(folder):
    scenes = read_scenes(folder / "captions_train.json").values()
    assert sum(len(scene.things) == 2 for scene in scenes) == 12


def test_attributes_follow_the_list_of_pictures(folder):
    scenes = read_scenes(folder / "captions_train.json")
    lines = (folder / "images_train.txt").read_text().splitlines()
    assert (folder / "attributes_train.txt").read_text() == "attributes_train.h5\n"
    with h5py.File(folder / "attributes_train.h5") as file:
        rows = file["attributes"][:]
        assert list(file["attributes"].attrs["names"]) == list(NAMES)
    assert len(lines) == len(rows) == _IMAGES
    for line, row in zip(lines, rows, strict=True):
        name, label = line.split()
        assert label == "0"
        np.testing.assert_array_equal(row, attributes(scenes[Path(name).name]))


def test_the_same_seed_gives_the_same_files(folder, tmp_path):
    write_dataset(tmp_path / "again", _IMAGES, seed=3)
    assert _digests(tmp_path / "again") == _digests(folder)
    write_dataset(tmp_path / "other", _IMAGES, seed=4)
    assert _digests(tmp_path / "other") != _digests(folder)


def test_a_larger_set_begins_with_the_smaller_one(folder, tmp_path):
    write_dataset(tmp_path / "larger", _IMAGES + 1, seed=3)
    small, large = (json.loads((place / "captions_train.json").read_text())
                    for place in (folder, tmp_path / "larger"))
    assert large["images"][:_IMAGES] == small["images"]
    assert large["annotations"][:5 * _IMAGES] == small["annotations"]


def test_what_is_there_is_not_replaced(folder, capsys):
    assert main(["data", "toy", "--out", str(folder)]) == 1
    assert "exists already" in capsys.readouterr().err


def test_no_pictures_are_refused(tmp_path, capsys):
    assert main(["data", "toy", "--out", str(tmp_path / "toy"), "--images", "0"]) == 1
    assert "got 0" in capsys.readouterr().err
    assert not (tmp_path / "toy").exists()


def test_a_failed_run_leaves_no_half_made_folder(tmp_path, monkeypatch):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError("No space left on device")
    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(DataError, match="No space left"):
        write_dataset(tmp_path / "toy", 2)
    monkeypatch.undo()
    assert not (tmp_path / "toy").exists()
    write_dataset(tmp_path / "toy", 2)
    assert not (tmp_path / "toy.partial").exists()


@pytest.mark.parametrize("text", ["no json", "{}", '{"images": [{"file_name": "a.png"}]}'])
def test_captions_of_other_data_sets_have_no_scenes(tmp_path, text):
    (tmp_path / "captions.json").write_text(text)
    with pytest.raises(DataError, match="data toy"):
        read_scenes(tmp_path / "captions.json")
