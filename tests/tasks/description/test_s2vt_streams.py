"""S2VT's streams, step by step."""
import pytest

from caffe_lrcn.tasks.description.s2vt import Clip, Layout

# Frames 3, words 7 8, 10 steps: the columns of the table of streams by step.
TABLE = {
    #                      frames     F  words    pads
    "cont":               [0, 1, 1,   1, 1, 1,    1, 1, 1, 1],
    "cont_sentence":      [0, 1, 1,   1, 1, 1,    0, 0, 0, 0],
    "input_sentence":     [0, 0, 0,   0, 7, 8,    0, 0, 0, 0],
    "target_sentence":    [-1, -1, -1, 7, 8, 0,   -1, -1, -1, -1],
    "stage_indicator":    [0, 0, 0,   1, 1, 1,    1, 1, 1, 1],
    "inv_stage_indicator": [1, 1, 1,  0, 0, 0,    0, 0, 0, 0],
    "cont_img":           [0, 1, 1,   0, 0, 0,    0, 0, 0, 0],
    "cont_sen":           [0, 0, 0,   0, 1, 1,    0, 0, 0, 0],
    "encoder_to_decoder": [0, 0, 1,   0, 0, 0,    0, 0, 0, 0],
}


def test_the_table():
    assert Clip("v", 3, (7, 8)).encode(10) == TABLE


def test_one_frame_and_no_padding():
    found = Clip("v", 1, (7, 8)).encode(4)
    assert found["cont_sentence"] == [0, 1, 1, 1] and found["encoder_to_decoder"] == [1, 0, 0, 0]
    assert found["target_sentence"] == [-1, 7, 8, 0] and found["cont_img"] == [0, 0, 0, 0]


@pytest.mark.parametrize("frames, words, steps, kept", [
    (30, 7, 80, (30, 7)),       # fits
    (72, 7, 80, (72, 7)),       # just fits
    (100, 7, 80, (72, 7)),      # the last frames go
    (1, 78, 80, (1, 78)),       # the longest sentence
    (30, 78, 80, (1, 78)),
    (30, 79, 80, (30, 20)),     # no room for a frame: words first
    (100, 95, 80, (59, 20)),    # the 59 frames of the original
    (5, 40, 10, (1, 8)),        # 20 words would not fit either
])
def test_what_is_cut(frames, words, steps, kept):
    clip = Clip("v", frames, tuple(range(2, words + 2))).fitted(steps)
    assert (clip.frames, len(clip.words)) == kept
    assert clip.words == tuple(range(2, kept[1] + 2))
    encoded = clip.encode(steps)
    assert {len(values) for values in encoded.values()} == {steps}
    assert encoded["target_sentence"].count(0) == 1  # the end stays


def test_columns_hold_clip_after_clip():
    clips = [Clip(f"v{i}", 1, (i + 2,)) for i in range(6)]
    layout = Layout(clips, streams=2, timesteps=4)
    assert layout.rounds == 3 and layout.rows == 12
    for number in range(3):
        arrays = layout.arrays(number)
        assert arrays["target_sentence"].tolist() == [
            [-1, -1], [2 * number + 2, 2 * number + 3], [0, 0], [-1, -1]]


@pytest.mark.parametrize("rounds, rows", [(12, 960), (13, 1000), (14, 1120), (25, 2000),
                                          (38, 3000)])
def test_strict_loses_the_rows_that_the_original_loses(rounds, rows):
    clips = [Clip("v", 1, (2,))] * rounds
    assert Layout(clips, 1, 80, strict=True).rows == rows
    assert Layout(clips, 1, 80).rows == 80 * rounds

