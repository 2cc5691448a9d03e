"""``caffe-lrcn data captions`` and ``data ngrams`` end to end."""
import errno

import h5py
import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.tasks.captioning.streams import picture_hash


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
    assert "skipped 1 captions without words, the first of blue picture.png" in captured.err
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
    assert "out/vocabulary.txt: cannot write the vocabulary: File exists" in capsys.readouterr().err


def test_a_full_disk_leaves_no_half_written_split(coco, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("caffe_lrcn.tasks.captioning.prepare.new_hdf5", full)
    assert captions(coco) == 1
    assert "cannot write the streams: No space left" in capsys.readouterr().err
    assert list((coco / "out").rglob("*_batches")) == []


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
