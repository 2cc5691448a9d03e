"""Optical flow: known motions of smooth textures are found."""
import numpy as np
import pytest
from scipy import ndimage

from caffe_lrcn.errors import UsageError
from caffe_lrcn.tasks.activity.brox import BroxSettings, brox_flow, level_sizes

SIZE = (120, 160)


def texture(shape: tuple[int, int], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    planes = (ndimage.gaussian_filter(rng.standard_normal(shape), s) * s for s in (1.5, 3, 6, 12))
    total = sum(planes)
    total -= total.min()
    return total / total.max() * 255


def moved(motion: str, pixels: float, size: tuple[int, int] = SIZE, seed: int = 0):
    """Return two pictures and the flow (H, W, 2) between them, at most `pixels` long."""
    height, width = size
    margin = 24
    y, x = np.mgrid[:height, :width].astype(float)
    from_centre = np.stack([x - (width - 1) / 2, y - (height - 1) / 2], -1)
    rate = pixels / np.hypot(*from_centre[0, 0])
    if motion == "shift":
        flow = np.broadcast_to([0.8 * pixels, -0.6 * pixels], (height, width, 2))
    elif motion == "turn":
        flow = rate * np.stack([-from_centre[..., 1], from_centre[..., 0]], -1)
    else:
        flow = rate * from_centre
    scene = texture((height + 2 * margin, width + 2 * margin), seed)
    second = scene[margin:-margin, margin:-margin]
    first = ndimage.map_coordinates(scene, [y + flow[..., 1] + margin, x + flow[..., 0] + margin])
    return first, second, flow


def error(found: np.ndarray, flow: np.ndarray) -> float:
    """Return the mean end-point error in pixels."""
    return float(np.hypot(*(found - flow).transpose(2, 0, 1)).mean())


@pytest.mark.parametrize("motion, pixels", [
    ("shift", 8), ("shift", 0.5), ("turn", 6), ("turn", 1), ("zoom", 4), ("zoom", 1)])
def test_known_motion_is_found(motion, pixels):
    first, second, flow = moved(motion, pixels)
    found = brox_flow(first, second)
    assert found.shape == (*SIZE, 2)
    assert found.dtype == np.float32
    assert error(found, flow) < 0.15
    assert error(np.zeros_like(found), flow) > 2 * error(found, flow)


def test_eight_pixels_in_pictures_of_full_size():
    for motion in ("turn", "zoom"):
        first, second, flow = moved(motion, 8, (240, 320))
        assert error(brox_flow(first, second), flow) < 0.15


def test_small_pictures():
    first, second, flow = moved("shift", 3, (48, 64))
    assert error(brox_flow(first, second), flow) < 0.15


def test_gradient_constancy_bears_a_change_of_brightness():
    first, second, flow = moved("shift", 4)
    brighter = second + 25
    assert error(brox_flow(first, brighter), flow) < 0.15
    without = BroxSettings(gamma=0, alpha=10)
    assert error(brox_flow(first, second, without), flow) < 0.15
    assert error(brox_flow(first, brighter, without), flow) > 0.5


def test_two_motions_keep_their_border():
    left, left_second, flow = moved("shift", 4)
    right, right_second, _ = moved("shift", -4, seed=1)
    half = SIZE[1] // 2
    first, second = left.copy(), left_second.copy()
    first[:, half:], second[:, half:] = right[:, half:], right_second[:, half:]
    found = brox_flow(first, second)
    assert error(found[:, 15:half - 10], flow[:, 15:half - 10]) < 0.3
    assert error(found[:, half + 10:-15], -flow[:, half + 10:-15]) < 0.3


def test_colour_tells_what_grey_hides():
    first, second, flow = moved("shift", 4)
    zeros = np.zeros_like(first)
    # Red and green swap, so that their mean is flat: only the channels move.
    colour = [np.stack([picture, 255 - picture, zeros], -1) for picture in (first, second)]
    assert error(brox_flow(*colour), flow) < 0.15
    grey = [picture.mean(-1) for picture in colour]
    assert error(brox_flow(*grey), flow) > 3


def test_nothing_moves_in_flat_or_equal_pictures():
    flat = np.full((30, 40), 77.0)
    assert np.abs(brox_flow(flat, flat + 9)).max() < 1e-6
    still = texture((30, 40), 3)
    assert np.abs(brox_flow(still, still)).max() < 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (2, 3), (13, 200, 3)])
def test_any_shape(shape):
    pictures = np.random.default_rng(0).uniform(0, 255, (2, *shape))
    found = brox_flow(*pictures)
    assert found.shape == (*shape[:2], 2)
    assert np.isfinite(found).all()


def test_bytes_are_as_good_as_floats():
    first, second, _ = moved("shift", 2, (40, 40))
    first, second = first.astype(np.uint8), second.astype(np.uint8)
    assert (brox_flow(first, second) == brox_flow(first / 1.0, second / 1.0)).all()


def test_shapes_must_agree():
    with pytest.raises(UsageError, match=r"\(4, 5\).*\(5, 4\)"):
        brox_flow(np.zeros((4, 5)), np.zeros((5, 4)))


def test_levels():
    settings = BroxSettings(scale=0.5, smallest=12)
    assert level_sizes((100, 60), settings) == [(25, 15), (50, 30), (100, 60)]
    assert level_sizes((5, 60), settings) == [(5, 60)]
