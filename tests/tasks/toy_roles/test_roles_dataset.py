"""The files: roles, references, noisy roles, lists and labels that agree with each other."""
from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.language.caption_files import read_references
from caffe_lrcn.sources.video_file import VideoFile
from caffe_lrcn.tasks.description.roles import read_roles
from caffe_lrcn.tasks.toy_roles import dataset
from caffe_lrcn.tasks.toy_roles.dataset import Extent, make_clip, write_dataset

_FLAGS = ["--groups", "5", "--clips", "4", "--frames", "8", "--side", "32", "--noise", "0.3"]
_EXTENT = Extent(5, 4, 8, 32)
_SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("data") / "roles"
    assert main(["data", "toy-roles", "--out", str(out), "--seed", "3", *_FLAGS]) == 0
    return out


def digests(folder: Path) -> dict[str, str]:
    # HDF5 files hold the time at which they were made
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".h5"}


def test_splits_are_by_group(folder):
    groups = {split: {name[:3] for name in read_roles(folder / f"{split}.json").ids}
              for split in _SPLITS}
    assert groups == {"test": {"g01"}, "val": {"g02"}, "train": {"g03", "g04", "g05"}}
    assert {split: len(groups) for split, groups in Extent().splits().items()} == {
        "train": 17, "val": 3, "test": 5}


@pytest.mark.parametrize("split", _SPLITS)
def test_files_agree(folder, split):
    gold, noisy = (read_roles(folder / f"{name}{split}.json") for name in ("", "noisy_"))
    assert gold.probabilities is None and noisy.probabilities is not None
    assert (gold.ids, gold.videos, gold.sentences) == (noisy.ids, noisy.videos, noisy.sentences)
    assert all(len(texts) == 4 for texts in gold.sentences)
    assert read_references(folder / f"references_{split}.json") == dict(
        zip(gold.ids, gold.sentences, strict=True))
    assert (folder / f"{split}.txt").read_text().splitlines() == [
        f"{name} {line}" for line, name in enumerate(gold.ids)]
    assert (folder / f"labels_{split}.txt").read_text() == f"labels_{split}.h5\n"
    with h5py.File(folder / f"labels_{split}.h5") as file:
        for k, slot in enumerate(gold.slots):
            np.testing.assert_array_equal(file[slot.name][:], gold.labels[:, k])
            assert tuple(file[slot.name].attrs["labels"]) == slot.labels
    assert all((folder / video).is_file() for video in gold.videos)


def test_videos_show_the_clips(folder):
    with VideoFile(folder / "videos" / "g02_c0003.avi") as video:
        frames = np.stack([frame[:, :, ::-1] for frame in video.frames()]).astype(float)
    want = make_clip(2, 3, _EXTENT, 3)
    assert frames.shape == want.shape == (8, 32, 32, 3)
    assert np.abs((frames - want) @ [0.299, 0.587, 0.114]).mean() < 3


def test_the_same_seed_gives_the_same_files(folder, tmp_path):
    write_dataset(tmp_path / "again", _EXTENT, 3, 0.3)
    assert digests(tmp_path / "again") == digests(folder)
    write_dataset(tmp_path / "other", _EXTENT, 4, 0.3)
    other = digests(tmp_path / "other")
    assert not {*other.values()} & {value for name, value in digests(folder).items()
                                    if not name.startswith("labels")
                                    and "/" in name or name.endswith(".json")}


def test_without_videos_or_noise(tmp_path, monkeypatch):
    def missing() -> None:
        raise AssertionError("PyAV is not needed")
    monkeypatch.setattr(dataset, "import_av", missing)
    assert main(["data", "toy-roles", "--out", str(tmp_path / "a"), "--clips", "2", "--no-videos",
                 "--noise", "0"]) == 0
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        f"{name}{split}.json" for name in ("", "references_") for split in _SPLITS)
    assert read_roles(tmp_path / "a" / "train.json").videos == [None] * 34


@pytest.mark.parametrize(("flag", "value", "text"), [
    ("--groups", "2", "--groups is out of range"), ("--clips", "0", "--clips"),
    ("--frames", "3", "8 to 10000"), ("--side", "8", "--side"), ("--side", "33", "even"),
    ("--noise", "0.9", "be wrong so often"), ("--noise", "-0.1", "be wrong so often")])
def test_what_cannot_be_made_is_refused(tmp_path, capsys, flag, value, text):
    assert main(["data", "toy-roles", "--out", str(tmp_path / "a"), flag, value]) == 1
    assert text in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_replaced(folder, capsys):
    assert main(["data", "toy-roles", "--out", str(folder)]) == 1
    assert "exists already" in capsys.readouterr().err
