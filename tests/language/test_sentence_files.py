"""Lines of a video and a sentence, with tabs between."""
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.language.caption_files import read_captions, read_references
from caffe_lrcn.language.result_files import read_results
from caffe_lrcn.language.sentence_files import is_sentence_file, read_sentences


def test_sentences(tmp_path, caplog):
    file = tmp_path / "s.txt"
    file.write_text("vid1\ta man runs\nvid2\tdogs\tmore\tfields\n\nno tab\nvid1\the is running\r\n"
                    "also none\n")
    assert [(video, text) for _, video, text in read_sentences(file)] == [
        ("vid1", "a man runs"), ("vid2", "dogs"), ("vid1", "he is running")]
    assert caplog.text.count("2 lines without a tab are left out, the first at") == 1
    assert f"{file}:4" in caplog.text
    found = read_captions("tab", file, {"vid1"})
    assert [(caption.picture, caption.where) for caption in found] == [
        ("vid1", f"{file}:1"), ("vid1", f"{file}:5")]
    assert read_references(file) == {"vid1": ["a man runs", "he is running"], "vid2": ["dogs"]}


@pytest.mark.parametrize("text", ["\ta man\n", "a\0b\ta man\n"])
def test_lines_without_a_video(text, tmp_path):
    (tmp_path / "s.txt").write_text(text)
    with pytest.raises(DataError, match=r"s.txt:1: this is not the name of a video"):
        list(read_sentences(tmp_path / "s.txt"))


REFERENCES = {"vid1": ["a man"], "vid2": ["a dog"], "vid3": ["a cat"]}


def test_predictions_are_the_last_two_fields(tmp_path):
    file = tmp_path / "p.txt"
    file.write_text("beam_size_1\tvid2\tA dog.\nvid1\tA man.\nbeam_size_1\tvid2\tA dog.\n")
    found = read_results(file, REFERENCES)
    assert found.images == ["vid2", "vid1"] and found.candidates == ["A dog.", "A man."]
    assert found.missing == ["vid3"]


@pytest.mark.parametrize("text, message", [
    ("b\tvid1\tA man.\nb\tvid1\tA cat.\n", r"p.txt:2: a second sentence for video vid1.*p.txt:1"),
    ("b\tvid1\tA man.\nvid1 A man.\n", "p.txt:2: not a prediction"),
    ("b\tvid9\tA man.\n", "p.txt:1: a caption of image vid9, which has no references"),
    ("b\tvid1\t \n", "the caption of image vid1 is empty")])
def test_predictions_that_are_wrong(text, message, tmp_path):
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_results(tmp_path / "p.txt", REFERENCES)


@pytest.mark.parametrize("name, text, is_one", [
    ("a.txt", "\n\nvid1\ta\n", True), ("a.json", "vid1\ta\n", False), ("a.txt", '[\t{"a": 1}]',
                                                                      False),
    ("a.txt", "vid1 a\nvid1\ta\n", False), ("a.txt", "", False)])
def test_which_files_hold_lines(name, text, is_one, tmp_path):
    (tmp_path / name).write_text(text)
    assert is_sentence_file(tmp_path / name) == is_one
