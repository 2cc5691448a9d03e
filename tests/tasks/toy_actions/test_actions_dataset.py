"""The files: names, lists, division by group, the same bytes for the same seed."""
from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.video_file import VideoFile
from caffe_lrcn.tasks.toy_actions import dataset
from caffe_lrcn.tasks.toy_actions.dataset import Extent, make_clip, write_dataset
from caffe_lrcn.tasks.toy_actions.motions import CLASSES

_EXTENT = Extent(groups=3, clips=2, frames=8, side=32)
_FLAGS = ["--groups", "3", "--clips", "2", "--frames", "8", "--side", "32"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("data") / "actions"
    assert main(["data", "toy-actions", "--out", str(out), "--seed", "3", *_FLAGS]) == 0
    return out


def _digests(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def _lines(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text().splitlines()


def test_lists_are_as_those_of_ucf101(folder):
    classes = _lines(folder, "classInd.txt")
    assert classes == [f"{k} {name}" for k, name in enumerate(CLASSES, start=1)]
    train, test = _lines(folder, "trainlist01.txt"), _lines(folder, "testlist01.txt")
    assert train[0] == "Blink/v_Blink_g02_c01.avi 1" and test[0] == "Blink/v_Blink_g01_c01.avi"
    assert all(int(line.split()[1]) == 1 + CLASSES.index(line.split("/")[0]) for line in train)
    files = {path.relative_to(folder / "videos").as_posix()
             for path in (folder / "videos").rglob("*.avi")}
    listed = [line.split()[0] for line in train + test]
    assert len(listed) == len(set(listed)) == len(CLASSES) * 6 and set(listed) == files


def test_no_group_is_in_both_lists(folder):
    train, test = ({re.sub(r"_c\d\d\.avi.*", "", line) for line in _lines(folder, name)}
                   for name in ("trainlist01.txt", "testlist01.txt"))
    assert not train & test
    assert {name.partition("/")[0] for name in train} == set(CLASSES)
    assert {name.partition("/")[0] for name in test} == set(CLASSES)


def test_the_groups_are_divided_as_in_ucf101():
    assert Extent(25).test_groups == 7 and Extent().test_groups == 27


@pytest.mark.parametrize("name", ["Meet", "TurnClockwise"])
def test_videos_lose_little(folder, name):
    with VideoFile(folder / "videos" / name / f"v_{name}_g02_c01.avi") as video:
        assert video.rate == 25
        frames = np.stack([frame[:, :, ::-1] for frame in video.frames()])
    want = make_clip(name, 2, 1, _EXTENT, 3)
    assert frames.shape == want.shape == (8, 32, 32, 3)
    grey = (frames.astype(float) - want) @ [0.299, 0.587, 0.114]
    assert 10 * np.log10(255 ** 2 / (grey ** 2).mean()) > 35


def test_the_same_seed_gives_the_same_files(folder, tmp_path):
    write_dataset(tmp_path / "again", _EXTENT, seed=3)
    assert _digests(tmp_path / "again") == _digests(folder)
    write_dataset(tmp_path / "other", _EXTENT, seed=4)
    other = _digests(tmp_path / "other")
    assert not {(name, text) for name, text in other.items() if name.endswith(".avi")} & set(
        _digests(folder).items())


def test_more_clips_begin_with_the_fewer_ones(folder, tmp_path):
    write_dataset(tmp_path / "larger", Extent(3, 3, 8, 32), seed=3)
    larger = _digests(tmp_path / "larger")
    assert all(larger[name] == text for name, text in _digests(folder).items()
               if name.endswith(".avi"))


def test_what_is_there_is_not_replaced(folder, capsys):
    assert main(["data", "toy-actions", "--out", str(folder)]) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(("flag", "value", "text"), [
    ("--groups", "1", "--groups is out of range"), ("--clips", "0", "--clips"),
    ("--frames", "3", "8 to 10000"), ("--side", "8", "--side"), ("--side", "33", "even"),
    ("--groups", "100", "2 to 99")])
def test_what_cannot_be_made_is_refused(tmp_path, capsys, flag, value, text):
    assert main(["data", "toy-actions", "--out", str(tmp_path / "a"), flag, value]) == 1
    assert text in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_failed_run_leaves_no_half_made_folder(tmp_path, monkeypatch):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError("No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(DataError, match="No space left"):
            write_dataset(tmp_path / "actions", _EXTENT)
    assert not list(tmp_path.iterdir())
    (tmp_path / "actions.partial").mkdir()  # as a killed run leaves it
    write_dataset(tmp_path / "actions", _EXTENT)
    assert [path.name for path in tmp_path.iterdir()] == ["actions"]


def test_without_pyav_nothing_is_begun(tmp_path, monkeypatch):
    def missing() -> None:
        raise DataError("PyAV is not installed")
    monkeypatch.setattr(dataset, "import_av", missing)
    with pytest.raises(DataError, match="PyAV"):
        write_dataset(tmp_path / "actions", _EXTENT)
    assert not list(tmp_path.iterdir())
