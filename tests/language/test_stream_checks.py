"""Word streams: what is found in them, against streams that the project itself writes."""
from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import h5py
import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.language.stream_checks import find_problems, measure, read_streams
from caffe_lrcn.language.streams import Layout, Pair
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.tasks.description.s2vt import Clip
from caffe_lrcn.tasks.description.s2vt import Layout as VideoLayout

_PAIRS = [Pair(f"{i}.jpg", tuple(range(2, 2 + length)))
          for i, length in enumerate((3, 5, 1, 4, 6, 2))]


@pytest.fixture
def write(tmp_path):
    def make(timesteps=None, **changes):
        arrays = next(Layout(_PAIRS, 2, timesteps).files())
        for name, (place, value) in changes.items():
            arrays[name][place] = value
        path = str(tmp_path / "words.h5")
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array
        return path
    return make


@pytest.mark.parametrize("timesteps", [None, 8])
def test_sound_streams_and_their_lengths(write, timesteps):
    streams = read_streams(write(timesteps))
    assert find_problems(streams, 8) == []
    lengths = measure(streams)
    words = [len(pair.words) + 1 for pair in _PAIRS]
    assert (lengths.count, lengths.least, lengths.most) == (6, 2, 7)
    assert lengths.mean == pytest.approx(sum(words) / 6)
    assert lengths.padding == pytest.approx(1 - sum(words) / streams.cont.size)


@pytest.mark.parametrize(("changes", "text", "place"), [
    ({"cont_sentence": ((8, 1), 1)}, "first step of a sequence has cont 1", (8, 1)),
    ({"cont_sentence": ((0, 0), 1)}, "first step of a sequence has cont 1", (0, 0)),
    ({"target_sentence": ((6, 0), 3)}, "a target in padding", (6, 0)),
    ({"target_sentence": ((2, 0), -1)}, "a word without a target", (2, 0)),
    ({"target_sentence": ((0, 0), 7)}, "not the next step's input", (0, 0)),
    ({"cont_sentence": ((2, 0), 0.5)}, "cont is neither 0 nor 1", (2, 0)),
    ({"input_sentence": ((2, 0), -2)}, "a word id below -1", (2, 0)),
    ({"target_sentence": ((3, 0), 8)}, "beyond the vocabulary of 8", (3, 0)),
])
def test_each_problem_is_found_where_it_is(write, changes, text, place):
    findings = find_problems(read_streams(write(8, **changes)), 8)
    found = [finding for finding in findings if text in finding.text]
    assert [finding.places for finding in found] == [[place]]


def test_unaligned_streams_begin_after_eos(write):
    path = write(cont_sentence=((4, 0), 1))  # the third caption follows the first at once
    finding, = find_problems(read_streams(path))
    assert finding.places == [(4, 0)] and "cont 1" in finding.text


def test_a_sequence_that_goes_on_from_another_file_counts(write, tmp_path):
    path = write()
    with h5py.File(path) as file:
        arrays = {name: file[name][2:] for name in ("cont_sentence", "input_sentence",
                                                    "target_sentence")}
    with h5py.File(tmp_path / "rest.h5", "w") as file:
        file.update(arrays)
    streams = read_streams(str(tmp_path / "rest.h5"))
    assert measure(streams).count == 6
    assert find_problems(streams) == []


def test_files_that_hold_no_streams(tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="this is not an HDF5 file|there is no such HDF5 file"):
        read_streams(str(path))
    with h5py.File(path, "w") as file:
        file["cont_sentence"] = np.zeros((4, 2))
    with pytest.raises(DataError, match="no data set 'input_sentence'"):
        read_streams(str(path))
    with h5py.File(path, "a") as file:
        file["input_sentence"] = np.zeros((4, 2, 5))
    with pytest.raises(DataError, match="is not a word stream"):
        read_streams(str(path))
    with h5py.File(path, "a") as file:
        del file["input_sentence"]
        file["input_sentence"] = file["target_sentence"] = np.zeros((2, 4))
    with pytest.raises(DataError, match="differ in shape"):
        read_streams(str(path))


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "vocabulary.txt"
    Vocabulary(["a", "<b>", "cat", "on", "the", "mat"]).write(path)
    return str(path)


def test_the_timelines(write, vocabulary, capsys):
    assert main(["streams", write(8), "--vocabulary", vocabulary, "--rows", "5",
                 "--streams", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["stream", "0", "cont", "0", "1", "1", "1", "0"],
        ["input", "<EOS>", "a", "<b>", "cat", "·"],
        ["target", "a", "<b>", "cat", "<EOS>", "·"]]
    # Each step stands in one column.
    assert lines[1].index("<b>") == lines[0].rindex("1", 0, lines[0].rindex("1")) == lines[
        2].index("cat")
    assert lines[-1] == "no problems" and "6 sequences of 2 to 7 steps, 4.5 on average" in lines[-2]


def test_a_problem_is_marked_and_ends_with_1(write, capsys):
    assert main(["streams", write(8, cont_sentence=((8, 1), 1))]) == 1
    out = capsys.readouterr().out
    assert "1!" in out and "(step 8 of stream 1)" in out


def test_the_page_stands_alone(write, vocabulary, tmp_path, capsys):
    page = tmp_path / "page.html"
    path = write(8, target_sentence=((6, 0), 3))
    assert main(["streams", path, "--vocabulary", vocabulary, "--html", str(page)]) == 1
    text = page.read_text()
    assert "&lt;b&gt;" in text and "<b>" not in text
    assert not any(word in text for word in ("http:", "https:", "src=", "<script"))
    table = ElementTree.fromstring(text[text.index("<table>"):text.index("</table>") + 8])
    rows = table.findall("tr")
    assert len(rows) == 3 and [len(row.findall("td")) for row in rows] == [0, 20, 20]
    cells = rows[1].findall("td")
    assert "start" in cells[0].get("class") and "wrong" in cells[6].get("class")
    assert "a target in padding" in cells[6].get("title")
    assert main(["streams", path, "--html", str(tmp_path / "none" / "page.html")]) == 1


@pytest.fixture
def write_videos(tmp_path):
    """Write streams of videos: 1 to 3 frames, then the words, then padding."""
    def make(rows=slice(None), **changes):
        clips = [Clip("v", 1 + i % 3, tuple(range(2, 3 + i % 2))) for i in range(6)]
        layout = VideoLayout(clips, 2, 7)
        arrays = {name: np.concatenate([layout.arrays(k)[name] for k in range(3)])
                  for name in layout.arrays(0)}
        for name, (place, value) in changes.items():
            arrays[name][place] = value
        path = str(tmp_path / "videos.h5")
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array[rows]
        return path
    return make


def test_frames_are_not_words_without_a_target(write_videos, capsys):
    streams = read_streams(write_videos())
    assert find_problems(streams, 8) == []
    lengths = measure(streams)
    assert (lengths.count, lengths.least, lengths.most) == (6, 3, 6)
    assert main(["streams", write_videos(), "--rows", "7", "--streams", "1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["stream", "0", "cont", "0", "1", "1", "0", "0", "0", "0"]
    assert said[1].split() == ["input", "frame", "0", "2", "·", "·", "·", "·"]
    assert said[2].split() == ["target", "·", "2", "0", "·", "·", "·", "·"]


def test_a_file_may_begin_within_the_frames_of_a_video(write_videos):
    streams = read_streams(write_videos(slice(8, None)))
    assert streams.cont[0, 0] == 1 and streams.reads[0, 0]
    assert find_problems(streams) == []


@pytest.mark.parametrize(("changes", "text", "place"), [
    ({"cont_sentence": ((7, 0), 1)}, "first step of a sequence has cont 1", (7, 0)),
    ({"target_sentence": ((1, 0), -1)}, "a word without a target", (1, 0)),
    ({"target_sentence": ((1, 0), 4)}, "not the next step's input", (1, 0)),
    ({"target_sentence": ((5, 0), 4)}, "a target in padding", (5, 0))])
def test_problems_in_streams_of_videos(write_videos, changes, text, place):
    findings = find_problems(read_streams(write_videos(**changes)))
    assert place in [found for finding in findings if text in finding.text
                     for found in finding.places]
