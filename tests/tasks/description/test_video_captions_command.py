"""``data video-captions``: from features and sentences to what the nets read."""
import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net, read_net
from tests.sources.clips import noisy, write_frames

NETS = Path(__file__).parents[3] / "prototxt" / "description"

SENTENCES = ("v1\ta man runs\textra\nv2\ta dog sits down\nno tab here\nv1\ta man is running\n"
             "v3\tdog\nv2\t \n")
COUNTS = {"v1": 4, "v2": 3, "v3": 12}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Write features and sentences of three videos; work in their folder."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    features = {video: random.normal(size=(count, 5)).astype(np.float32)
                for video, count in COUNTS.items()}
    Path("f.csv").write_text("".join(
        f"{video}_{n}," + ",".join(f"{value:.9g}" for value in row) + "\n"
        for video, rows in features.items() for n, row in enumerate(rows, 1)))
    Path("s.txt").write_text(SENTENCES)
    return features


def made(*words: str) -> int:
    return main(["data", "video-captions", "--features", "f.csv", "--sentences", "s.txt",
                 "--out", "d", *words])


def read(path: str) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: item[()] for name, item in file.items()}


def test_s2vt(files, capsys, caplog):
    assert made("--streams", "3", "--timesteps", "12") == 0
    said = capsys.readouterr()
    assert "1 lines without a tab are left out, the first at s.txt:3" in caplog.text
    assert "skipped 1 sentences without words, the first of v2 at s.txt:6" in said.err
    assert ("train: 3 videos, 4 sentences (2 repeated to fill the streams, 0 unknown words; "
            in said.err)
    assert "with fewer frames and 0 with fewer words to fit 12 steps) in d/" in said.err
    vocabulary = Vocabulary.read("d/vocabulary.txt")
    assert set(vocabulary.words[2:]) == {"a", "man", "runs", "dog", "sits", "down", "is",
                                         "running"}
    assert f"{len(vocabulary)} word ids" in said.out
    folder = "d/buffer_3_s2vt_12/train_batches"
    assert Path(f"{folder}/hdf5_chunk_list.txt").read_text() == f"{folder}/batch_0.h5\n"
    found = read(f"{folder}/batch_0.h5")
    assert found.pop("buffer_size").tolist() == [3]
    assert found["frame_fc7"].shape == (24, 3, 5)
    assert len(found) == 10 and {array.dtype for array in found.values()} == {np.dtype("f4")}
    order = [line.split("\t") for line in
             Path(f"{folder}/vidid_order_3_12.txt").read_text().splitlines()]
    assert len(order) == 6
    for number, (video, words, frames, both) in enumerate(order):
        rows = slice(number // 3 * 12, number // 3 * 12 + 12)
        column = {name: array[rows, number % 3] for name, array in found.items()}
        assert int(words) + int(frames) == int(both) and int(frames) == COUNTS[video]
        kept = min(int(frames), 11 - int(words))
        np.testing.assert_array_equal(column["frame_fc7"][:kept], files[video][:kept])
        assert not column["frame_fc7"][kept:].any()
        assert column["inv_stage_indicator"].sum() == kept
        target = column["target_sentence"][kept:]
        sentence = vocabulary.sentence([int(word) for word in target[:int(words)]])[:-3].lower()
        assert f"{video}\t{sentence}\n" in SENTENCES.replace("\textra", "")


def test_rows_go_on_in_the_next_file(files, monkeypatch):
    from caffe_lrcn.tasks.description import s2vt_files
    assert made("--streams", "2", "--timesteps", "12", "--out", "one") == 0
    monkeypatch.setattr(s2vt_files, "FILE_ROWS", 10)
    assert made("--streams", "2", "--timesteps", "12", "--out", "many") == 0
    one = read("one/buffer_2_s2vt_12/train_batches/batch_0.h5")
    parts = [read(path) for path in Path(
        "many/buffer_2_s2vt_12/train_batches/hdf5_chunk_list.txt").read_text().split()]
    assert [len(part["cont"]) for part in parts] == [10, 10, 4]
    for name in set(one) - {"buffer_size"}:
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), one[name])


def test_strict_is_float64_and_words_can_be_reversed(files):
    assert made("--streams", "1", "--timesteps", "12", "--strict", "--reverse") == 0
    found = read("d/buffer_1_s2vt_12/train_batches/batch_0.h5")
    assert found["frame_fc7"].dtype == np.float64
    ids = {tuple(word for word in column if word > 0)
           for column in found["target_sentence"].reshape(-1, 12).astype(int).tolist()}
    vocabulary = Vocabulary.read("d/vocabulary.txt")
    assert tuple(vocabulary.ids(["down", "sits", "dog", "a"])) in ids


def test_poolmean(files, capsys):
    Path("s.txt").write_text(SENTENCES + "v3\t" + "dog " * 9 + "\n")
    assert made("--layout", "poolmean", "--streams", "5", "--timesteps", "6") == 0
    assert "1 cut to 5 words" in capsys.readouterr().err
    folder = "d/buffer_5_poolmean_6/train_batches"
    words, means = read(f"{folder}/batch_0.h5"), read(f"{folder}/mean_fc7_0.h5")["mean_fc7"]
    assert means.shape == (5, 5) and words["cont_sentence"].shape == (6, 5)
    vocabulary = Vocabulary.read("d/vocabulary.txt")
    expected = {tuple(vocabulary.ids(text.split()))[:5]: video for video, text in (
        line.split("\t")[:2] for line in Path("s.txt").read_text().splitlines() if "\t" in line)}
    for stream in range(5):
        target = [int(word) for word in words["target_sentence"][:, stream]]
        inputs, end = words["input_sentence"][:, stream], target.index(0)
        assert target[end:] == [0] + [-1] * (5 - end)
        assert list(inputs) == [0, *target[:end], *[0] * (5 - end)]
        assert list(words["cont_sentence"][:, stream]) == [0, *[1] * end, *[0] * (5 - end)]
        np.testing.assert_allclose(means[stream],
                                   files[expected[tuple(target[:end])]].mean(0), rtol=1e-6)


def test_a_second_split_needs_the_vocabulary_of_the_first(files, capsys):
    assert made("--streams", "1") == 0
    assert made("--streams", "1", "--split", "val") == 1
    assert "there is a vocabulary already" in capsys.readouterr().err
    assert made("--streams", "1", "--split", "val", "--vocabulary", "d/vocabulary.txt") == 0
    assert Path("d/buffer_1_s2vt_80/val_batches/batch_0.h5").is_file()


def test_resume_and_force(files, capsys):
    assert made("--streams", "1") == 0
    before = Path("d/buffer_1_s2vt_80/train_batches/batch_0.h5").stat().st_mtime_ns
    assert made("--streams", "1") == 1
    assert "output exists already" in capsys.readouterr().err
    assert made("--streams", "1", "--resume") == 0
    assert "is there already" in capsys.readouterr().err
    assert Path("d/buffer_1_s2vt_80/train_batches/batch_0.h5").stat().st_mtime_ns == before
    assert made("--streams", "1", "--resume", "--reverse") == 1
    assert "reverse False then, True now" in capsys.readouterr().err
    assert made("--streams", "1", "--force", "--reverse") == 0


def test_splits_by_video_and_of_other_files(files):
    assert made("--streams", "1", "--val-fraction", "0.34", "--out", "a") == 0
    videos = [{line.split("\t")[0] for line in
               Path(f"a/buffer_1_s2vt_80/{split}_batches/vidid_order_1_80.txt").read_text()
               .splitlines()} for split in ("train", "val")]
    assert not videos[0] & videos[1] and videos[0] | videos[1] == set(COUNTS)
    Path("val.txt").write_text("vid1201\ta cat runs\n")
    np.save("val.npy", np.ones((1, 5)))
    assert made("--streams", "1", "--val-sentences", "val.txt", "--val-features", "val.npy",
                "--val-first-video", "1201", "--out", "b") == 0
    found = read("b/buffer_1_s2vt_80/val_batches/batch_0.h5")
    assert found["frame_fc7"][0].tolist() == [[1] * 5]
    assert 1 in found["target_sentence"]  # the cat is unknown: the words are those of training


@pytest.mark.parametrize("words, message", [
    (["--layout", "poolmean", "--reverse"], "--reverse does nothing"),
    (["--timesteps", "2"], "a frame, a word and the end take 3 steps"),
    (["--timesteps", "1", "--layout", "poolmean"], "a word and the end take 2 steps"),
    (["--streams", "0"], "--streams must be positive"),
    (["--val-features", "f.csv"], "only with --val-sentences"),
    (["--first-video", "1"], "have names already")])
def test_wrong_use(files, words, message, capsys):
    assert made(*words) == 1
    assert message in capsys.readouterr().err
    assert not list(Path().glob("d/buffer*"))


def test_videos_without_features(files, capsys):
    Path("s.txt").write_text("v1\ta man\nv9\ta dog\n")
    assert made("--streams", "1") == 1
    assert "s.txt:2: video 'v9' has no features" in capsys.readouterr().err
    assert made("--streams", "1", "--skip-missing") == 0
    assert "skipped 1 sentences of videos without features, the first of v9" \
        in capsys.readouterr().err


def test_capitals_are_told(files, capsys):
    Path("s.txt").write_text("v1\tA man runs.\n")
    assert made("--streams", "1") == 0
    assert "--tokenize takes them off" in capsys.readouterr().err
    assert made("--streams", "1", "--force", "--tokenize") == 0
    assert "warning" not in capsys.readouterr().err
    assert Vocabulary.read("d/vocabulary.txt").words[2:] == ("a", "man", "runs")


def test_no_room_on_the_disk(files, monkeypatch, capsys):
    from caffe_lrcn.tasks.description import video_captions
    monkeypatch.setattr(video_captions.shutil, "disk_usage",
                        lambda path: type("", (), {"free": 100}))
    assert made() == 1
    assert "do not fit on the disk" in capsys.readouterr().err
    assert not Path("d").exists()  # else the next try would meet a vocabulary


def test_sentences_in_coco_s_form(files):
    """An image is a video: its id, its file's name, or the stem of that is its name."""
    Path("s.txt").write_text(json.dumps({
        "images": [{"id": "v1", "file_name": "x/one.avi"}, {"id": 7, "file_name": "videos/v3.avi"},
                   {"id": 8, "file_name": "v2"}],
        "annotations": [{"image_id": number, "caption": "A man runs."} for number in ("v1", 7, 8)],
    }))
    assert made("--format", "coco", "--tokenize", "--streams", "1") == 0
    order = Path("d/buffer_1_s2vt_80/train_batches/vidid_order_1_80.txt").read_text()
    assert {line.split("\t")[0] for line in order.splitlines()} == {"v1", "v2", "v3"}


def test_frames_instead_of_features(files, capsys):
    """The lists of pictures and of videos are in step with the streams, padding included."""
    for number, (video, count) in enumerate(COUNTS.items()):
        write_frames(Path("frames") / video, noisy(number, count), "rgb")
    assert main(["data", "video-captions", "--frames", "frames", "--stride", "3", "--sentences",
                 "s.txt", "--out", "d", "--streams", "2", "--timesteps", "8"]) == 0
    folder = Path("d/buffer_2_s2vt_8/train_batches")
    found = read(str(folder / "batch_0.h5"))
    assert "frame_fc7" not in found and len(found) == 10
    order = [line.split("\t") for line in
             (folder / "vidid_order_2_8.txt").read_text().splitlines()]
    assert {video: int(frames) for video, _, frames, _ in order} == {"v1": 2, "v2": 1, "v3": 4}
    listed = (folder / "video_list.txt").read_text().splitlines()
    assert listed == [f"{video} 0" for video, *_ in order]
    rows = [line.rsplit(" ", 1) for line in (folder / "frame_list.txt").read_text().splitlines()]
    assert len(rows) == 2 * len(found["cont"])
    # Time comes first, as in the streams: with one stream the list is sequence after sequence.
    gate = found["inv_stage_indicator"].reshape(-1)
    assert [int(label) for _, label in rows] == gate.tolist()
    for number, (video, *_) in enumerate(order):
        step = number // 2 * 8
        own = [path for path, _ in rows[step * 2 + number % 2:(step + 8) * 2:2]]
        kept = int(found["inv_stage_indicator"][step:step + 8, number % 2].sum())
        assert own == [f"frames/{video}/{video}.{1 + 3 * min(n, kept) * (n < kept):04d}.png"
                       for n in range(8)]


def test_the_net_from_pixels_reads_what_is_written(files, monkeypatch):
    """Both forms, with a convnet's picture of 4 pixels: the same loss on the same sentences."""
    losses = []
    for number, (video, count) in enumerate(COUNTS.items()):
        write_frames(Path("frames") / video, noisy(number, count, 8, 8), "rgb")
    for streams, stages in ((1, ()), (2, ("videos",))):
        assert main(["data", "video-captions", "--frames", "frames", "--stride", "3", "--sentences",
                     "s.txt", "--out", "d", "--streams", str(streams), "--timesteps", "8",
                     "--force"]) == 0
        losses.append(small_loss(f"d/buffer_{streams}_s2vt_8/train_batches", stages))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def small_loss(folder: str, stages: tuple[str, ...]) -> float:
    """Return the loss over the first clips of the net from pixels, made small."""
    text = NETS.joinpath("s2vt_e2e.prototxt").read_text()
    for old, new in ((r"data/msvd/buffer_._s2vt_80/\w+_batches", folder),
                     ("data/msvd/frames", "frames"), ("batch_size: 640", "batch_size: 16"),
                     ("batch_size: 80", "batch_size: 8"),
                     ("clip_length: 80 frame_stride: 10 batch_size: 8",
                      "clip_length: 8 frame_stride: 3 batch_size: 2"),
                     ("new_height: 256 new_width: 256", "new_height: 4 new_width: 4"),
                     ("crop_size: 227", ""), ("num_output: 1000", "num_output: 6"),
                     ("num_output: 500", "num_output: 5"), ("12594", "12"),
                     (r' (top|bottom): "\w+_[3-8]"', "")):
        text = re.sub(old, new, text)
    definition = parse_net(text)
    names = [layer.param.name for layer in definition.layers]
    trunk = parse_net('layer { name: "fc7" type: "InnerProduct" bottom: "data" top: "fc7" '
                      'inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }')
    definition.layers = [*definition.layers[:names.index("conv1")], *trunk.layers,
                         *definition.layers[names.index("slice_cont"):]]
    net = Net(definition, get_backend("cpu"), phase=caffe_pb2.TEST, seed=2,
              stages=("factored", "2-layer", "test-on-train", *stages))
    net.forward()
    return float(net.blobs["cross_entropy_loss"].host_data)


@pytest.mark.parametrize("layout", ["s2vt", "poolmean"])
@pytest.mark.parametrize("size", ["small", "paper"])
def test_nets_of_the_size_of_the_data(files, layout, size, capsys):
    flags = ("--layout", layout, "--streams", "2", "--timesteps", "20", "--nets", size)
    assert made(*flags, "--val-fraction", "0.34") == 0
    assert "word ids; nets of this size are in d" in capsys.readouterr().out
    words = len(Vocabulary.read("d/vocabulary.txt"))
    deploy = f"d/{layout}.words_to_preds.deploy.prototxt"
    shapes = [net_shapes(f"d/{layout}.prototxt", caffe_pb2.TRAIN, "factored", "2-layer"),
              net_shapes(deploy, caffe_pb2.TEST)]
    assert shapes[0] == shapes[1]
    assert shapes[0]["predict"][1] == (words,)
    assert shapes[0]["embedding"][0][0] == words
    assert made(*flags) == 1  # there are nets already
    assert "output exists already" in capsys.readouterr().err
    assert "Numbers with a mark" not in Path(deploy).read_text()
    if size == "small":
        assert main(["train", "--solver", f"d/{layout}_solver.prototxt", "--cpu", "--set",
                     "max_iter=2", "--set", f"snapshot_prefix=out/{layout}"]) == 0
        assert "test 1" in capsys.readouterr().err  # on the validation split
        assert main(["describe", "--features", "f.csv", "--net", deploy, "--weights",
                     f"out/{layout}_iter_2.caffemodel", "--cpu", "--vocabulary",
                     "d/vocabulary.txt"]) == 0


def net_shapes(file: str, phase: int, *stages: str) -> dict[str, list[tuple[int, ...]]]:
    net = Net(read_net(file), get_backend("shapes"), phase=phase, stages=stages)
    return {name: [blob.shape for blob in blobs] for name, blobs in net.params.items()}


def test_nets_without_a_split_to_test_on(files):
    assert made("--streams", "2", "--timesteps", "20", "--nets", "small") == 0
    assert "test_" not in Path("d/s2vt_solver.prototxt").read_text()
