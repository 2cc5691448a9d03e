"""Streams of roles and sentences: what is in which step."""
from dataclasses import replace

import h5py
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.language.streams import Layout
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.proto.text import read_net, read_solver
from caffe_lrcn.tasks.captioning.prepare import Recipe
from caffe_lrcn.tasks.description.role_streams import (
    PADDING,
    Description,
    encode,
    write_role_streams,
)
from caffe_lrcn.tasks.description.roles import Slot, write_roles
from caffe_lrcn.tasks.description.sized_nets import NETS

from .small_data import SLOTS, STEPS, STREAMS, make_roles, write_data


def read(path):
    with h5py.File(path) as file:
        return {name: values[()] for name, values in file.items() if name != "buffer_size"}


def test_the_encoder_s_and_the_decoder_s_streams():
    found = encode(Description("a", (7, 8), 0, (3, 1, 4)))
    assert found == {  # step:      1   2  3  4  5
        "cont_slots":      [0,  1, 1, 1, 1],
        "input_slots":     [3,  1, 4, -1, -1],
        "hand_over":       [0,  0, 1, 0, 0],
        "cont_sentence":   [0,  0, 0, 1, 1],
        "input_sentence":  [-1, -1, 0, 7, 8],
        "target_sentence": [-1, -1, 7, 8, 0]}


@pytest.mark.parametrize("symbols, words", [((5,), (7, 8)), ((5, 6), ()), ((5,), ())])
def test_one_slot_and_no_words(symbols, words):
    found = encode(Description("a", words, 0, symbols))
    assert {len(values) for values in found.values()} == {len(symbols) + len(words)}
    assert found["hand_over"].index(1) == len(symbols) - 1 and sum(found["hand_over"]) == 1
    assert found["target_sentence"][len(symbols) - 1:] == [*words, 0]


def test_what_is_left_of_the_rows_is_padding():
    pair = Description("a", (7, 8), 0, (3, 1, 4))
    for name, values in encode(pair, 9).items():
        assert values == encode(pair)[name] + [PADDING[name]] * 4


def test_streams_of_different_lengths_lie_side_by_side():
    pairs = [Description("a", (7,), 0, (1, 2, 3)), Description("b", (8, 9, 7, 8), 1, (4,)),
             Description("c", (), 2, (5, 6))]
    (file,) = Layout(pairs, 2, None, encode=encode, padding=PADDING).files()
    assert file["input_slots"].T.tolist() == [[1, 2, 3, -1, 5, 6], [4, -1, -1, -1, -1, -1]]
    assert file["target_sentence"].T.tolist() == [[-1, -1, 7, 0, -1, 0], [8, 9, 7, 8, 0, -1]]
    assert file["cont_slots"].T.tolist() == [[0, 1, 1, 1, 0, 1], [0, 1, 1, 1, 1, 0]]


def test_the_files_of_a_split_belong_together(tmp_path):
    roles = make_roles()
    folder = write_data(tmp_path / "data", roles)
    words, symbols = read(folder / "batch_0.h5"), read(folder / "symbols_0.h5")
    vectors = {name: read(folder / f"{name}_0.h5")["roles"] for name in ("max", "prob")}
    clips = (folder / "clips.txt").read_text().split()
    assert len(clips) == 8 and len(words["cont"]) == 2 * STEPS
    slots, rows = len(SLOTS), len(SLOTS) + STEPS - 1
    for number, clip in enumerate(clips):
        batch, stream = divmod(number, STREAMS)
        row = roles.ids.index(clip)
        assert (vectors["max"][number] == roles.one_hot()[row]).all()
        assert (vectors["prob"][number] == roles.marginals()[row]).all()
        read_first = symbols["input_slots"][batch * rows:batch * rows + slots, stream]
        assert (read_first == roles.tokens()[row]).all()
        for name in ("input_sentence", "target_sentence"):
            alone = words[name][batch * STEPS:(batch + 1) * STEPS, stream]
            behind = symbols[name][batch * rows + slots - 1:(batch + 1) * rows, stream]
            assert (alone == behind).all()
    lists = {path.name: path.read_text() for path in folder.glob("*.txt")}
    assert lists["hdf5_chunk_list.txt"] == f"{folder}/batch_0.h5\n"
    assert lists["prob.txt"] == f"{folder}/prob_0.h5\n"


def test_a_long_sentence_keeps_its_end(tmp_path):
    roles = replace(make_roles(1), sentences=[["One two three four five six seven eight."]])
    told = []
    write_role_streams(Recipe(tmp_path, 1, 4), {"train": roles}, told.append, min_count=1)
    found = read(tmp_path / "buffer_1" / "train_aligned_4_batches" / "batch_0.h5")
    vocabulary = Vocabulary.read(tmp_path / "vocabulary.txt")
    assert found["target_sentence"][:, 0].tolist() == [*vocabulary.ids(["one", "two", "three"]), 0]
    assert "1 cut to 4 steps" in told[0]


@pytest.mark.parametrize("changes, message", [
    ({"slots": (*SLOTS[:2], Slot("where", SLOTS[2].labels))}, "other slots.*activity, object, wh"),
    ({"slots": (*SLOTS[:2], Slot("place", ("sink", "none", "board")))},
     "'place' has other labels.*'none' as label 1, wanted 3 labels, 'board' as label 1"),
    ({"probabilities": None}, "one split has probabilities"),
    ({"sentences": [[]] * 6}, "no clip has a sentence"),
    ({"sentences": [["."]] * 6}, "no caption is left")])
def test_a_split_that_does_not_fit(tmp_path, changes, message):
    splits = {"train": make_roles(), "val": replace(make_roles(), path="val.json", **changes)}
    with pytest.raises(DataError, match=message):
        write_role_streams(Recipe(tmp_path / "d"), splits, lambda line: None, min_count=1)
    assert not (tmp_path / "d").exists()


def test_what_is_there_is_not_replaced_unasked(tmp_path):
    roles = make_roles()
    recipe = Recipe(tmp_path, 2)
    vocabulary, _ = write_role_streams(recipe, {"train": roles}, lambda line: None, min_count=1)
    with pytest.raises(DataError, match="exists already"):
        write_role_streams(recipe, {"train": roles}, lambda line: None, vocabulary)
    others = make_roles(slots=SLOTS[:2])
    with pytest.raises(DataError, match="other slots are there"):
        write_role_streams(recipe, {"test": others}, lambda line: None, vocabulary)
    write_role_streams(replace(recipe, force=True), {"train": others}, lambda line: None,
                       vocabulary)


def test_the_command_writes_nets_of_the_data_s_size(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, count in (("train", 6), ("val", 9)):
        write_roles(f"{name}.json", make_roles(count))
    words = ["data", "role-streams", "--train", "train.json", "--out", "data", "--min-count", "1",
             "--size", "small", "--streams", "4", "--timesteps", "9"]
    assert main([*words, "--val", "val.json"]) == 0
    said = capsys.readouterr()
    vocabulary = Vocabulary.read("data/vocabulary.txt")
    assert said.out == (f"{len(vocabulary)} word ids, 3 slots, 8 labels; nets of this size are in "
                        "data\n")
    layers = [layer.param for layer in read_net("data/encoder_decoder.prototxt").layers]
    assert [layer.embed_param.input_dim for layer in layers if layer.type == "Embed"] == [
        8, len(vocabulary)]
    assert {(layer.hdf5_data_param.batch_size, layer.hdf5_data_param.source)
            for layer in layers if layer.type == "HDF5Data"} == {
        (11, f"data/buffer_4/{split}_aligned_9_batches/symbols.txt") for split in ("train", "val")}
    assert read_solver("data/decoder_max_solver.prototxt").param.test_iter == [3]
    text = (tmp_path / "data" / "decoder_max_solver.prototxt").read_text()
    assert "--solver data/decoder_max_solver.prototxt" in text
    assert main(words) == 1 and "exists already" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0  # now without a split for validation
    param = read_solver("data/decoder_max_solver.prototxt").param
    assert not param.test_iter and not param.test_state and not param.test_interval
    assert {path.name for path in (tmp_path / "data").glob("*.prototxt")} == set(NETS)
