"""``caffe-lrcn data captions`` and ``data ngrams`` end to end."""
import errno
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.language.streams import picture_hash


def captions(folder, *flags):
    return main(["data", "captions", "--format", "coco", "--captions",
                 str(folder / "captions.json"), "--images", str(folder / "pictures"), "--out",
                 str(folder / "out"), "--min-count", "1", "--streams", "3", "--timesteps", "6",
                 *flags])


def test_writes_what_the_nets_read(coco, capsys):
    assert captions(coco) == 0
    folder = coco / "out" / "buffer_3" / "train_aligned_6_batches"
    assert sorted(path.name for path in folder.iterdir()) == [
        "batch_0.h5", "hdf5_chunk_list.txt", "image_list.txt",
        "image_list.with_dummy_labels.txt"]
    assert (folder / "hdf5_chunk_list.txt").read_text() == f"{folder}/batch_0.h5\n"
    words = (coco / "out" / "vocabulary.txt").read_text().splitlines()
    assert words[:4] == ["<unk>", "a", "picture", "red"]
    captured = capsys.readouterr()
    assert f"{len(words) + 1} word ids" in captured.out
    picture = coco / "pictures" / "blue picture.png"
    assert f"skipped 1 captions without words, the first of {picture} at" in captured.err
    assert "skipped 1 missing pictures, the first" in captured.err and "gone.jpg" in captured.err
    assert "2 pictures, 5 captions (1 repeated to fill the streams, 1 cut" in captured.err


def test_pictures_and_words_are_in_step(coco):
    captions(coco)
    folder = coco / "out" / "buffer_3" / "train_aligned_6_batches"
    labelled = (folder / "image_list.with_dummy_labels.txt").read_text().splitlines()
    paths = (folder / "image_list.txt").read_text().splitlines()
    labels = np.array([int(line.rsplit(" ", 1)[1]) for line in labelled]).reshape(-1, 3)
    assert [line.rsplit(" ", 1)[0] for line in labelled] == paths
    assert labels.ravel().tolist() == [picture_hash(path) for path in paths]
    with h5py.File(folder / "batch_0.h5") as file:
        hashes = file["hashed_image_path"][:]
        assert file["cont_sentence"].shape == (12, 3)
    for batch, row in enumerate(labels):
        assert (hashes[6 * batch:6 * batch + 6] == row).all()


def test_refuses_to_overwrite(coco, capsys):
    assert captions(coco) == 0
    assert captions(coco) == 1
    assert "output exists already" in capsys.readouterr().err
    assert captions(coco, "--force") == 0


def test_an_output_folder_that_is_a_file(coco, capsys):
    (coco / "out").write_text("")
    assert captions(coco) == 1
    assert ("out/vocabulary.txt: the vocabulary cannot be written: File exists"
            in capsys.readouterr().err)


def test_a_full_disk_leaves_no_half_written_split(coco, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("caffe_lrcn.tasks.captioning.prepare.new_hdf5", full)
    assert captions(coco) == 1
    assert "the streams cannot be written: No space left" in capsys.readouterr().err
    assert list((coco / "out").rglob("*_batches")) == []


def test_a_split_has_its_name_when_its_files_are_on_the_disk(coco, monkeypatch):
    done = []
    monkeypatch.setattr("caffe_lrcn.tasks.captioning.prepare.sync",
                        lambda path: done.append(Path(path).name))
    monkeypatch.setattr(Path, "rename", lambda path, target, rename=Path.rename: (
        done.append("renamed"), rename(path, target)))
    assert captions(coco) == 0
    assert set(done[:-1]) >= {"batch_0.h5", "hdf5_chunk_list.txt", "image_list.txt"}
    assert done[-1] == "renamed"


def test_second_split_keeps_the_vocabulary(coco, capsys):
    assert captions(coco) == 0
    assert captions(coco, "--split", "test") == 1
    assert "there is a vocabulary already" in capsys.readouterr().err
    before = (coco / "out" / "vocabulary.txt").read_bytes()
    (coco / "ids.txt").write_text("2\n")
    assert captions(coco, "--split", "test", "--ids", str(coco / "ids.txt"), "--vocabulary",
                    str(coco / "out" / "vocabulary.txt")) == 0
    assert (coco / "out" / "vocabulary.txt").read_bytes() == before
    listed = coco / "out" / "buffer_3" / "test_aligned_6_batches" / "image_list.txt"
    assert "red.jpg" not in listed.read_text()


def test_validation_split_has_other_pictures(coco):
    assert captions(coco, "--val-fraction", "0.3") == 0
    lists = [set((coco / "out" / "buffer_3" / f"{split}_aligned_6_batches" / "image_list.txt")
                 .read_text().splitlines()) for split in ("train", "val")]
    assert len(lists[0]) == len(lists[1]) == 1 and lists[0] != lists[1]


def test_language_model_data_need_no_pictures(tmp_path, capsys):
    token = tmp_path / "t.token"
    token.write_text("".join(f"{i}.jpg#{k}\tA dog number {i % 3} runs .\n"
                             for i in range(20) for k in range(2)))
    out = tmp_path / "out"
    assert main(["data", "captions", "--format", "flickr", "--captions", str(token), "--out",
                 str(out), "--unaligned", "--streams", "4", "--val-fraction", "0.2"]) == 0
    folder = out / "buffer_4"
    with h5py.File(folder / "val_unaligned_batches" / "batch_0.h5") as file:
        assert (file["target_sentence"][:] >= 0).sum() == 4 * 2 * 6
    assert main(["data", "ngrams", "--vocabulary", str(out / "vocabulary.txt"),
                 "--train", str(folder / "train_unaligned_batches" / "hdf5_chunk_list.txt"),
                 "--test", str(folder / "val_unaligned_batches" / "hdf5_chunk_list.txt")]) == 0
    assert "48 words: unigram perplexity" in capsys.readouterr().out


@pytest.mark.parametrize("flags, message", [
    (["--streams", "0"], "--streams must be positive"),
    (["--timesteps", "0"], "--timesteps must be positive"),
    (["--min-count", "0"], "--min-count must be positive"),
    (["--val-fraction", "1.5"], "must lie between 0 and 1"),
    (["--val-fraction", "0.01"], "one of the splits is empty"),
    (["--images", "nowhere"], "no such folder of pictures"),
    (["--out", "with blank"], "contains blanks"),
    (["--split", "val", "--val-fraction", "0.5"], "two splits"),
])
def test_wrong_usage(coco, capsys, flags, message):
    assert captions(coco, *flags) == 1
    assert message in capsys.readouterr().err


def test_no_picture_at_all(coco, capsys):
    (coco / "empty").mkdir()
    assert captions(coco, "--images", str(coco / "empty")) == 1
    assert "no caption is left (got 3 missing pictures" in capsys.readouterr().err
    assert not (coco / "out").exists()


def test_two_files_make_one_split(coco, capsys):
    (coco / "more").mkdir()
    (coco / "pictures" / "blue picture.png").rename(coco / "more" / "green.png")
    (coco / "more.json").write_text(json.dumps({
        "images": [{"id": 50, "file_name": "green.png"}],
        "annotations": [{"image_id": 50, "caption": "A green picture"}]}))
    (coco / "a.txt").write_text("1\n77\n")
    (coco / "b.txt").write_text("50\n")
    # Later flags replace the fixture's.
    assert captions(coco, "--captions", str(coco / "captions.json"), str(coco / "more.json"),
                    "--images", str(coco / "pictures"), str(coco / "more"), "--ids",
                    str(coco / "a.txt"), str(coco / "b.txt"), "--split", "trainval") == 0
    listed = coco / "out" / "buffer_3" / "trainval_aligned_6_batches" / "image_list.txt"
    assert set(listed.read_text().splitlines()) == {str(coco / "pictures" / "red.jpg"),
                                                    str(coco / "more" / "green.png")}
    assert "1 of the 3 pictures in --ids have no captions, the first 77" in capsys.readouterr().err


def test_as_many_folders_as_caption_files(coco, capsys):
    folder = str(coco / "pictures")
    assert captions(coco, "--images", folder, folder) == 1
    assert "one for each caption file (got 2, wanted 1 or 1)" in capsys.readouterr().err


def test_resumes_with_the_split_that_is_missing(coco, capsys):
    split = ("--val-fraction", "0.3")
    assert captions(coco, *split) == 0
    whole = {path: path.read_bytes() for path in (coco / "out").rglob("*.txt")}
    train, val = (coco / "out" / "buffer_3" / f"{name}_aligned_6_batches"
                  for name in ("train", "val"))
    val.rename(val.with_name(val.name + ".partial"))  # as an interruption would leave it
    stamp = (train / "batch_0.h5").stat().st_mtime_ns
    assert captions(coco, *split, "--resume") == 0
    assert "train: is there already" in capsys.readouterr().err
    assert (train / "batch_0.h5").stat().st_mtime_ns == stamp
    assert {path: path.read_bytes() for path in (coco / "out").rglob("*.txt")} == whole


def test_does_not_resume_another_run(coco, capsys):
    assert captions(coco) == 0
    assert captions(coco, "--resume", "--min-count", "2") == 1
    assert "another vocabulary is there" in capsys.readouterr().err


def pictures(folder, *flags):
    return main(["data", "pictures", "--format", "coco", "--captions",
                 str(folder / "captions.json"), "--images", str(folder / "pictures"), "--out",
                 str(folder / "lists" / "all.txt"), *flags])


def test_lists_pictures(coco, capsys):
    assert pictures(coco) == 0
    assert (coco / "lists" / "all.txt").read_text().splitlines() == [
        str(coco / "pictures" / name) for name in ("red.jpg", "blue picture.png")]
    captured = capsys.readouterr()
    assert "2 pictures in" in captured.out and "gone.jpg" in captured.err
    (coco / "ids.txt").write_text("2\n")
    assert pictures(coco, "--ids", str(coco / "ids.txt")) == 0
    assert (coco / "lists" / "all.txt").read_text().endswith("blue picture.png\n")


def test_lists_no_pictures(coco, capsys):
    (coco / "ids.txt").write_text("3\n")
    assert pictures(coco, "--ids", str(coco / "ids.txt")) == 1
    assert "no picture is there" in capsys.readouterr().err


def test_resume_refuses_streams_of_other_captions(coco, capsys):
    assert captions(coco) == 0
    assert captions(coco, "--resume") == 0
    record = json.loads((coco / "out" / "conversion.json").read_text())
    (entry,) = record.values()
    assert entry["format"] == "coco" and len(entry["vocabulary_sha256"]) == 64
    with h5py.File(coco / "out" / "buffer_3" / "train_aligned_6_batches" / "batch_0.h5") as file:
        assert file.attrs["vocabulary_sha256"] == entry["vocabulary_sha256"]
    (source,) = entry["sources"]
    with open(source, "a") as file:
        file.write("\n")
    capsys.readouterr()
    assert captions(coco, "--resume") == 1
    assert f"{source} has changed" in capsys.readouterr().err
    assert captions(coco, "--force") == 0
    assert captions(coco, "--resume") == 0
