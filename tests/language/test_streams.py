"""The layout of captions in rows, streams and files."""
import hashlib

import numpy as np

from caffe_lrcn.language.streams import Layout, Pair, align, encode, picture_hash, place


def pairs(*lengths):
    """Pairs that take the given numbers of rows; word ids tell them apart."""
    return [Pair(f"{i}.jpg", tuple(range(10 * i + 10, 10 * i + 9 + length)))
            for i, length in enumerate(lengths)]


def whole(layout):
    files = list(layout.files())
    return {name: np.concatenate([file[name] for file in files])
            for name in files[0] if name != "buffer_size"}


def test_unaligned_caption():
    hashed = int(hashlib.sha1(b"a.jpg").hexdigest(), 16) % 100000
    assert encode(Pair("a.jpg", (7, 8))) == {
        "cont": [0, 1, 1], "cont_sentence": [0, 1, 1], "input_sentence": [0, 7, 8],
        "target_sentence": [7, 8, 0], "stage_indicators": [1, 1, 1],
        "hashed_image_path": [hashed] * 3}


def test_aligned_caption_is_padded():
    streams = encode(Pair("a.jpg", (7, 8)), 5)
    assert streams["cont"] == [0, 1, 1, 1, 1]
    assert streams["cont_sentence"] == [0, 1, 1, 0, 0]
    assert streams["input_sentence"] == [0, 7, 8, -1, -1]
    assert streams["target_sentence"] == [7, 8, 0, -1, -1]
    assert streams["stage_indicators"] == [1, 1, 1, 0, 0]
    assert streams["hashed_image_path"] == [picture_hash("a.jpg")] * 5


def test_aligned_caption_is_cut():
    streams = encode(Pair("a.jpg", (7, 8, 9)), 3)
    assert streams["input_sentence"] == [0, 7, 8]
    assert streams["target_sentence"] == [7, 8, 9]
    assert {len(values) for values in streams.values()} == {3}


def test_align_repeats_pairs_up_to_a_multiple():
    source = pairs(*[3] * 7)
    aligned = align(source, 5, seed=3)
    assert len(aligned) == 10
    assert set(aligned) == set(source)
    assert aligned == align(source, 5, seed=3)
    assert aligned != align(source, 5, seed=4)
    assert sorted(align(source, 7, 3), key=lambda p: p.path) == source


def test_next_caption_goes_to_the_first_free_stream():
    assert place([3, 2, 5, 1, 1], 2) == [(0, 0), (0, 1), (2, 1), (3, 0), (4, 0)]


def test_streams_hold_whole_captions_in_order():
    arrays = whole(Layout(pairs(3, 2, 5, 1, 1), 2, None))
    assert arrays["input_sentence"].T.tolist() == [[0, 10, 11, 0, 0, -1, -1],
                                                   [0, 20, 0, 30, 31, 32, 33]]
    assert arrays["target_sentence"].T.tolist() == [[10, 11, 0, 0, 0, -1, -1],
                                                    [20, 0, 30, 31, 32, 33, 0]]
    assert arrays["cont_sentence"].T.tolist() == [[0, 1, 1, 0, 0, 0, 0], [0, 1, 0, 1, 1, 1, 1]]


def test_files_cut_captions_but_lose_nothing():
    layout = Layout(pairs(3, 9, 5, 1, 1, 4, 2), 2, None)
    for rows in (1, 2, 3, 7):
        cut = Layout(layout.pairs, 2, None, file_rows=rows)
        files = list(cut.files())
        assert [len(file["cont"]) for file in files[:-1]] == [rows] * (len(files) - 1)
        for name, array in whole(layout).items():
            assert np.array_equal(whole(cut)[name], array), (rows, name)


def test_aligned_batches_follow_the_fetch_order():
    source = pairs(*[4] * 6)
    arrays = whole(Layout(source, 3, 5, file_rows=7))
    for batch in range(2):
        rows = arrays["hashed_image_path"][5 * batch:5 * batch + 5]
        expected = [pair.label for pair in source[3 * batch:3 * batch + 3]]
        assert (rows == expected).all()


def test_tail_is_kept_by_default_and_lost_when_strict():
    # Eight captions of five rows in four streams: ten rows, of which the first file holds seven;
    # the last captions begin in it, so the original stops there.
    source = pairs(*[5] * 8)
    assert Layout(source, 4, None, file_rows=7).rows == 10
    assert len(whole(Layout(source, 4, None, file_rows=7, strict=True))["cont"]) == 7


def test_ended_streams_are_ignored_by_default_and_zero_when_strict():
    source = pairs(2, 4)
    assert whole(Layout(source, 2, None))["target_sentence"][2:, 0].tolist() == [-1, -1]
    strict = whole(Layout(source, 2, None, strict=True))
    assert strict["target_sentence"][2:, 0].tolist() == [0, 0]


def test_every_array_is_float32():
    (file,) = Layout(pairs(3, 3), 2, None).files()
    assert {array.dtype for array in file.values()} == {np.dtype(np.float32)}
    assert file["buffer_size"].tolist() == [2]
    assert set(file) == {"cont", "buffer_size", "cont_sentence", "input_sentence",
                         "target_sentence", "stage_indicators", "hashed_image_path"}
