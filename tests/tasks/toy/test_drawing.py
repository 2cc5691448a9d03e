from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.tasks.toy.drawing import SIDE, draw
from caffe_lrcn.tasks.toy.scene import RELATIONS, SHAPES, Scene, Thing

_MIDDLE = (SIDE - 1) / 2


def _picture(scene: Scene, seed: int) -> np.ndarray:
    return draw(scene, np.random.default_rng(seed)).astype(int)


def _reddish(picture: np.ndarray) -> np.ndarray:
    return picture[:, :, 0] - picture[:, :, 1:].max(axis=2) > 80


def _bluish(picture: np.ndarray) -> np.ndarray:
    return picture[:, :, 2] - picture[:, :, :2].max(axis=2) > 60


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_things_stand_as_the_relation_says(relation, seed):
    scene = Scene((Thing("circle", "red", "large"), Thing("square", "blue", "small")), relation)
    picture = _picture(scene, seed)
    (red_y, red_x), (blue_y, blue_x) = (np.argwhere(mask).mean(axis=0)
                                        for mask in (_reddish(picture), _bluish(picture)))
    along, across = red_x - blue_x, red_y - blue_y
    if relation in ("above", "below"):
        along, across = across, along
    assert abs(along) > 2 * abs(across)
    assert (along < 0) == (relation in ("left", "above"))


@pytest.mark.parametrize("shape", SHAPES)
def test_sizes_and_margins(shape):
    for seed in range(10):
        areas = {}
        for size in ("small", "large"):
            covered = _reddish(_picture(Scene((Thing(shape, "red", size),)), seed))
            areas[size] = covered.sum()
            assert not covered[[0, -1]].any() and not covered[:, [0, -1]].any()
        assert areas["large"] > 1.5 * areas["small"] > 50


def test_shapes_differ():
    # Seen from its middle to its corners, a cross leaves most empty and a square least.
    filled = {}
    for shape in SHAPES:
        shares = []
        for seed in range(10):
            rows, columns = np.nonzero(_reddish(_picture(Scene((Thing(shape, "red", "large"),)),
                                                         seed)))
            box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            shares.append(len(rows) / box)
        filled[shape] = np.mean(shares)
    assert filled["square"] > filled["circle"] > filled["cross"] > filled["triangle"]


def test_backgrounds_vary():
    scene = Scene((Thing("circle", "white", "small"),))
    spreads = [_picture(scene, seed)[[0, -1]].std(axis=(0, 1)).max() for seed in range(40)]
    assert min(spreads) < 1 < 15 < max(spreads)


def test_the_same_randomness_draws_the_same_picture():
    scene = Scene((Thing("cross", "green", "small"),))
    np.testing.assert_array_equal(_picture(scene, 1), _picture(scene, 1))
    assert (_picture(scene, 1) != _picture(scene, 2)).any()
