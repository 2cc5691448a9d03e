"""What the classes say, in numbers and in pixels."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn import rng
from caffe_lrcn.tasks.activity.brox import brox_flow
from caffe_lrcn.tasks.toy_actions import dataset
from caffe_lrcn.tasks.toy_actions.dataset import Extent, make_clip
from caffe_lrcn.tasks.toy_actions.drawing import draw_clip, random_look
from caffe_lrcn.tasks.toy_actions.motions import CLASSES, ORDER_PAIRS, Track, make_tracks

_FRAMES = 24


def _tracks(name: str, seed: int) -> list[Track]:
    return make_tracks(name, _FRAMES, rng.generator(seed, "test"))


def _changes(name: str, seed: int) -> np.ndarray:
    """Return (T - 1, 4) steps of x, y, log size and turn of the first thing."""
    track = _tracks(name, seed)[0]
    return np.diff(np.column_stack([track.places, np.log(track.growth), track.turns]), axis=0)


def test_there_are_enough_classes():
    assert len(set(CLASSES)) == len(CLASSES) >= 12 and list(CLASSES) == sorted(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("seed", range(5))
def test_things_stay_in_the_frame(name, seed):
    for track in _tracks(name, seed):
        assert (track.places > 0).all() and (track.places < 1).all()


@pytest.mark.parametrize(("name", "step"), [
    ("MoveLeft", (-1, 0)), ("MoveRight", (1, 0)), ("MoveUp", (0, -1)), ("MoveDown", (0, 1))])
def test_moves_go_one_way_evenly(name, step):
    for seed in range(5):
        changes = _changes(name, seed)
        np.testing.assert_allclose(changes, np.broadcast_to(changes[0], changes.shape), atol=1e-9)
        np.testing.assert_array_equal(np.sign(changes[0].round(9)), (*step, 0, 0))


@pytest.mark.parametrize("pair", ORDER_PAIRS)
def test_the_classes_of_a_pair_make_the_same_steps_in_the_other_order(pair):
    """With the same randomness, what one does before the turning point the other does after."""
    for seed in range(8):
        first, second = (np.abs(_changes(name, seed)) if "Fast" in name else _changes(name, seed)
                         for name in pair)
        kinds = [np.unique(changes.round(6), axis=0) for changes in (first, second)]
        np.testing.assert_allclose(*kinds, atol=2e-6)
        assert len(kinds[0]) == 2
        before = np.isclose(first, first[0]).all(axis=1)
        turn = int(before.sum())
        assert before[:turn].all() and 10 <= turn <= 14
        np.testing.assert_allclose(first[:turn], np.tile(second[-1], (turn, 1)), atol=1e-9)
        np.testing.assert_allclose(second[:turn], np.tile(first[-1], (turn, 1)), atol=1e-9)


def test_fast_is_four_times_as_fast():
    for seed in range(5):
        speeds = np.linalg.norm(_changes("FastThenSlow", seed)[:, :2], axis=1)
        assert speeds[0] == pytest.approx(4 * speeds[-1])


def test_turns_and_growth():
    assert (_changes("TurnClockwise", 0)[:, 3] > 0).all()
    assert (_changes("TurnAnticlockwise", 0)[:, 3] < 0).all()
    growth = _changes("GrowThenShrink", 0)[:, 2]
    assert growth[0] > 0 > growth[-1]


def test_a_blinking_thing_is_there_and_gone_in_every_window():
    for seed in range(20):
        visible = _tracks("Blink", seed)[0].visible
        assert all(0 < visible[start:start + 16].sum() < 16 for start in range(_FRAMES - 15))


def test_two_things_meet():
    for seed in range(10):
        one, other = _tracks("Meet", seed)
        apart = np.linalg.norm(one.places - other.places, axis=1)
        reach = one.radius + other.radius
        assert (np.diff(apart) < 0).all() and apart[0] > reach > apart[-1]


@pytest.mark.parametrize("classes", [
    ("MoveLeft", "MoveRight", "LeftThenRight", "RightThenLeft"),
    ("MoveUp", "MoveDown", "UpThenDown", "DownThenUp")])
def test_places_do_not_tell_the_direction(classes):
    means = [np.mean([_tracks(name, seed)[0].places for seed in range(400)], axis=(0, 1))
             for name in classes]
    np.testing.assert_allclose(means, 0.5, atol=0.025)


def test_turning_on_the_screen_is_clockwise():
    """A quarter turn moves the spot of a disc from the right to below the middle."""
    look = random_look(64, rng.generator(1, "look"))
    colours = np.broadcast_to([[[0.0, 0, 0], [255.0, 0, 0]]], (2, 2, 3))
    look = type(look)(("disc", "disc"), colours, np.zeros_like(look.texture), np.zeros(2), 0.0)
    track = Track(0.3, np.full((2, 2), 0.5), np.ones(2), np.array([0, np.pi / 2]),
                  np.ones(2, bool))
    clip = draw_clip(look, [track], 64, rng.generator(1, "draw"))
    (y0, x0), (y1, x1) = (np.argwhere(frame[:, :, 0] > 200).mean(axis=0) for frame in clip)
    assert x0 > 38 and y0 < 36 and y1 > 38 and x1 < 32


def _flow(name: str, group: int, t: int) -> np.ndarray:
    """Return the mean flow where something moves, by the paper's method, pixels per frame."""
    clip = make_clip(name, group, 1, Extent(), 1).mean(axis=3)
    flow = brox_flow(clip[t], clip[t + 2])
    moving = np.hypot(*flow.transpose(2, 0, 1)) > 1
    return flow[moving].mean(axis=0) / 2


@pytest.mark.parametrize(("name", "early", "late"), [
    ("MoveLeft", (-1, 0), (-1, 0)), ("MoveDown", (0, 1), (0, 1)),
    ("LeftThenRight", (-1, 0), (1, 0)), ("RightThenLeft", (1, 0), (-1, 0)),
    ("UpThenDown", (0, -1), (0, 1)), ("DownThenUp", (0, 1), (0, -1))])
def test_pixels_move_as_the_class_says(name, early, late):
    for group in (1, 2):
        for t, want in ((3, early), (18, late)):
            flow = _flow(name, group, t)
            assert flow @ want > 0.6 * np.linalg.norm(flow) and flow @ want > 0.5


def test_the_clips_of_a_group_share_things_and_background(monkeypatch):
    looks = {}
    for name, group, clip in (("MoveUp", 3, 1), ("MoveUp", 3, 2), ("MoveUp", 4, 1), ("Meet", 3, 1)):
        monkeypatch.setattr(dataset, "draw_clip", lambda look, *rest: look)
        looks[name, group, clip] = make_clip(name, group, clip, Extent(), 1)
    one, clip, other, of_another_class = looks.values()
    for same in clip, of_another_class:  # a look must not tell the class
        np.testing.assert_array_equal(one.texture, same.texture)
        assert one.shapes == same.shapes and (one.colours == same.colours).all()
    assert (one.texture != other.texture).mean() > 0.5


def test_the_clips_of_a_group_differ_in_motion():
    one, other = (make_clip("MoveUp", 3, clip, Extent(), 1) for clip in (1, 2))
    assert (one != other).mean() > 0.5
