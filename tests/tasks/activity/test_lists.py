"""Lists of UCF101 and HMDB51, folders of classes, the division by groups, and the command."""
from __future__ import annotations

from collections import Counter

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.tasks.activity.lists import (
    Video,
    divide,
    group_of,
    missing,
    shuffled,
    without_suffix,
)
from caffe_lrcn.tasks.activity.official_lists import read_data_set
from tests.tasks.activity.videos import levels, write_video


def write(path, *lines, end="\r\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode())


@pytest.fixture()
def ucf(tmp_path):
    """Lists as UCF101's: CRLF, training lists with labels from 1, test lists without."""
    folder = tmp_path / "ucf"
    write(folder / "classInd.txt", "1 Archery", "2 YoYo")
    write(folder / "trainlist01.txt", "Archery/v_Archery_g08_c01.avi 1",
          "Archery/v_Archery_g08_c02.avi 1", "Archery/v_Archery_g09_c01.avi 1",
          "YoYo/v_YoYo_g08_c01.avi 2", "YoYo/v_YoYo_g09_c01.avi 2", "YoYo/v_YoYo_g10_c01.avi 2")
    write(folder / "testlist01.txt", "Archery/v_Archery_g01_c01.avi", "YoYo/v_YoYo_g01_c01.avi")
    return folder


@pytest.fixture()
def hmdb(tmp_path):
    folder = tmp_path / "hmdb"
    for number in (1, 2):
        for name, film in (("wave", "Film (1)"), ("brush_hair", "a_wave_b")):
            write(folder / f"{name}_test_split{number}.txt",
                  *(f"{film}_{name}_f_nm_np1_fr_med_{clip}.avi {part} "
                    for clip, part in enumerate((1, 1, 2, 0))), end="\n")
    return folder


def test_ucf101_as_it_comes(ucf):
    data = read_data_set(ucf)
    assert (data.kind, data.classes, list(data.splits)) == ("UCF101", ["Archery", "YoYo"], [1])
    assert data.splits[1]["train"][0] == Video("Archery/v_Archery_g08_c01", 0)
    assert data.splits[1]["test"] == [Video("Archery/v_Archery_g01_c01", 0),
                                      Video("YoYo/v_YoYo_g01_c01", 1)]
    assert Counter(video.label for video in data.splits[1]["train"]) == {0: 3, 1: 3}


def test_hmdb51_as_it_comes(hmdb):
    data = read_data_set(hmdb)
    assert (data.kind, data.classes) == ("HMDB51", ["brush_hair", "wave"])
    assert list(data.splits) == [1, 2]
    assert data.splits[2]["test"] == [
        Video("brush_hair/a_wave_b_brush_hair_f_nm_np1_fr_med_2", 0),
        Video("wave/Film (1)_wave_f_nm_np1_fr_med_2", 1)]
    assert len(data.splits[1]["train"]) == 4


def test_a_folder_for_each_class(tmp_path):
    for name in ("Run/v_10.AVI", "Run/v_2.mp4", "Jump/a.b/f.0001.jpg", "Run/notes.txt"):
        write(tmp_path / name)
    data = read_data_set(tmp_path)
    assert data.classes == ["Jump", "Run"]
    assert data.splits == {1: {"train": [Video("Jump/a.b", 0), Video("Run/v_2", 1),
                                         Video("Run/v_10", 1)], "test": []}}


@pytest.mark.parametrize("file, line, words", [
    ("trainlist01.txt", "Golf/v_Golf_g01_c01.avi 3", r":7: the video's class is not in the list"),
    ("trainlist01.txt", "v_YoYo_g11_c01.avi 2", "class is not in the list"),
    ("trainlist01.txt", "YoYo/v_YoYo_g11_c01.avi 1", r"label does not fit.*wanted 2 for YoYo"),
    ("trainlist01.txt", "YoYo/v_YoYo_g10_c01.avi 2", r":7: the video is listed twice.*01.txt:6"),
    ("testlist01.txt", "YoYo/v_YoYo_g10_c01.avi", "in test and in train|in train and in test"),
    ("classInd.txt", "4 Golf", r"classInd.txt:3: .*not numbered.*wanted 3 and a name"),
    ("classInd.txt", "3", "not numbered"),
    ("classInd.txt", "3 YoYo", "two classes have one name"),
    ("trainlist02.txt", "YoYo/v_YoYo_g10_c01.avi 2", r"split 2.*wanted testlist02.txt")])
def test_wrong_lists_of_ucf101(ucf, file, line, words):
    with open(ucf / file, "a", newline="") as stream:
        stream.write(line + "\r\n")
    with pytest.raises(DataError, match=words):
        read_data_set(ucf)


@pytest.mark.parametrize("file", ["classInd.txt", "testlist01.txt"])
def test_empty_lists_of_ucf101(ucf, file):
    (ucf / file).write_text("\n")
    with pytest.raises(DataError, match="has no classes|no videos for this part"):
        read_data_set(ucf)


def test_wrong_lists_of_hmdb51(hmdb):
    with open(hmdb / "wave_test_split1.txt", "a") as stream:
        stream.write("x_wave_0.avi 3\n")
    with pytest.raises(DataError, match=r"split1.txt:5: .*wanted a video and 0, 1"):
        read_data_set(hmdb)
    (hmdb / "wave_test_split1.txt").unlink()
    with pytest.raises(DataError, match="split 1 has no file.*wanted wave_test_split1.txt"):
        read_data_set(hmdb)


def test_folders_that_are_no_data_set(tmp_path):
    with pytest.raises(DataError, match="neither lists nor a folder for each class"):
        read_data_set(tmp_path)
    write(tmp_path / "Run/notes.txt")
    with pytest.raises(DataError, match="Run: the class has no videos"):
        read_data_set(tmp_path)
    write(tmp_path / "Run/a.avi")
    write(tmp_path / "Run/a.mp4")
    with pytest.raises(DataError, match="twice"):
        read_data_set(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_data_set(tmp_path / "other")


def test_names():
    assert without_suffix("A/v.1.avi") == "A/v.1"
    assert without_suffix("A/v.1.MP4") == "A/v.1"
    assert without_suffix("A/v.1") == "A/v.1"
    assert group_of("YoYo/v_YoYo_g07_c03") == "g07"
    assert group_of("wave/a_wave_b_wave_f_nm_np1_fr_med_0") == "a_wave_b"
    assert group_of("Run/mine") == "mine"


def clips(label, groups, each):
    return [Video(f"C{label}/v_C{label}_g{group:02d}_c{clip:02d}", label)
            for group in range(groups) for clip in range(each)]


def test_groups_stay_together():
    videos = clips(0, 18, 6) + clips(1, 17, 4) + clips(2, 1, 9)
    rest, share = divide(videos, 1 / 3, seed=3)
    assert sorted([*rest, *share], key=videos.index) == videos
    assert rest == [video for video in videos if video not in set(share)]  # in their order
    keys = [{(video.label, group_of(video.name)) for video in part} for part in (rest, share)]
    assert not keys[0] & keys[1]
    assert Counter(video.label for video in share) == {0: 36, 1: 24}  # one group is not divided
    assert divide(videos, 1 / 3, seed=3) == (rest, share)
    assert divide(videos, 1 / 3, seed=4) != (rest, share)


def test_orders_depend_on_the_seed_alone():
    videos = clips(0, 5, 4)
    assert shuffled(videos, 1) == shuffled(videos, 1) != shuffled(videos, 2)
    assert set(shuffled(videos, 1)) == set(videos)


def test_missing_videos(tmp_path):
    for name in ("A/one.avi", "two.mp4", "A/three/f.jpg", "four/f.jpg"):
        write(tmp_path / name)
    videos = [Video(f"A/{name}", 0) for name in ("one", "two", "three", "four", "five", "s.ix")]
    assert missing(videos, tmp_path) == videos[4:]


def run(*words):
    return main(["data", "splits", *map(str, words)])


def test_the_command_writes_lists(ucf, tmp_path, capsys):
    out = tmp_path / "lists"
    assert run(ucf, "--out", out, "--val-fraction", 0.34) == 0
    assert (out / "classes.txt").read_text() == "Archery\nYoYo\n"
    assert (out / "test1.txt").read_text() == ("Archery/v_Archery_g01_c01 0\n"
                                               "YoYo/v_YoYo_g01_c01 1\n")
    train, fit, val = ((out / f"{name}1.txt").read_text().split("\n")[:-1]
                       for name in ("train", "fit", "val"))
    assert len(train) == 6 and sorted(fit + val) == sorted(train) and len(val) == 2
    assert "6 videos of 2 classes in" in capsys.readouterr().out
    assert run(ucf, "--out", out) == 1
    assert "there already" in capsys.readouterr().err
    assert run(ucf, "--out", out, "--force", "--shuffle") == 0
    mixed = (out / "train1.txt").read_text().split("\n")[:-1]
    assert mixed != train and sorted(mixed) == sorted(train)


def test_the_command_counts_missing_videos(ucf, tmp_path, capsys):
    for name in ("Archery/v_Archery_g08_c02.avi", "Archery/v_Archery_g01_c01.avi"):
        write(tmp_path / "videos" / name)
    words = (ucf, "--out", tmp_path / "lists", "--root", tmp_path / "videos")
    assert run(*words) == 1
    assert ("6 of 8 videos are not there, the first Archery/v_Archery_g08_c01"
            in capsys.readouterr().err)
    assert not (tmp_path / "lists").exists()
    assert run(*words, "--skip-missing") == 0
    assert "6 of 8 videos are not there" in capsys.readouterr().err
    assert (tmp_path / "lists/train1.txt").read_text() == "Archery/v_Archery_g08_c02 0\n"


def test_lists_without_a_video_that_is_there(ucf, tmp_path, capsys):
    """A test list alone is of use: a trained net can be scored on it."""
    words = (ucf, "--root", tmp_path / "videos", "--skip-missing")
    for part, name in (("test", "g01_c01"), ("train", "g08_c02")):
        video = tmp_path / f"videos/Archery/v_Archery_{name}.avi"
        write(video)
        assert run(*words, "--out", tmp_path / part, "--val-fraction", 0.5) == 0
        assert "so these lists are not written: " in capsys.readouterr().err
        assert (tmp_path / part / f"{part}1.txt").read_text() == f"Archery/v_Archery_{name} 0\n"
        assert len(list((tmp_path / part).glob("t*1.txt"))) == 1
        video.unlink()
    assert run(*words, "--out", tmp_path / "none") == 1
    assert "none.txt" not in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_the_command_divides_class_folders(tmp_path, capsys):
    for label in "AB":
        for number in range(4):
            write(tmp_path / "videos" / label / f"{number}.avi")
    out = tmp_path / "lists"
    assert run(tmp_path / "videos", "--out", out, "--test-fraction", 0.25) == 0
    assert "each is taken for itself" in capsys.readouterr().err
    assert len((out / "train1.txt").read_text().splitlines()) == 6
    assert len((out / "test1.txt").read_text().splitlines()) == 2
    assert run(tmp_path / "videos", "--out", out, "--force") == 0  # no tests: no list of them
    assert "test1.txt" not in capsys.readouterr().out


@pytest.mark.parametrize("words, text", [
    (("--split", "2"), "split 2 does not exist (wanted 1)"),
    (("--val-fraction", "1"), "must lie between 0 and 1"),
    (("--test-fraction", "0.5"), "is for folders of class folders"),
    (("--val-fraction", "0.01"), "one of the parts is empty (got val)"),
    (("--skip-missing",), "--skip-missing needs --root"),
    (("--root", "/nowhere"), "the folder of videos does not exist")])
def test_wrong_flags(ucf, tmp_path, capsys, words, text):
    assert run(ucf, "--out", tmp_path / "lists", *words) == 1
    assert text in capsys.readouterr().err
    assert not (tmp_path / "lists").exists()


def test_lists_fit_what_data_frames_writes(ucf, tmp_path, capsys):
    pytest.importorskip("av")
    videos = tmp_path / "videos"
    for video in (video for part in read_data_set(ucf).splits[1].values() for video in part):
        write_video(videos / f"{video.name}.avi", levels(2))
    assert main(["data", "frames", str(videos), "--out", str(tmp_path / "frames")]) == 0
    assert run(ucf, "--out", tmp_path / "lists", "--root", tmp_path / "frames") == 0
    lines = (tmp_path / "lists/train1.txt").read_text().splitlines()
    assert all((tmp_path / "frames" / line.split()[0]).is_dir() for line in lines)
