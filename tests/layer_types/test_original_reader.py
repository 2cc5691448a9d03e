"""``faithful`` clips against an imitation of the reader that the LRCN activity scripts have.

The imitation follows what is known of that reader (its draws, in their order; files counted from 1
for RGB and from 2 for flow; pictures as floats in [0, 1]) and shares no code with the package.
"""
from __future__ import annotations

import itertools

import numpy as np
import pytest

from caffe_lrcn.layer_types.base import TEST, TRAIN
from tests.sources.clips import noisy, write_frames, write_list

AREA, CROP, LENGTH, MEAN = (8, 9), 6, 4, (104.0, 117.0, 128.0)


def bilinear(image, height, width):
    """Return an (H, W, C) picture resized with half-pixel centres."""
    for axis, size in ((0, height), (1, width)):
        at = np.clip((np.arange(size) + 0.5) * image.shape[axis] / size - 0.5, 0,
                     image.shape[axis] - 1)
        low = np.minimum(at.astype(int), image.shape[axis] - 2)
        weight = (at - low).reshape([-1 if side == axis else 1 for side in range(3)])
        image = (image.take(low, axis) * (1 - weight) + image.take(low + 1, axis) * weight)
    return image


def imitation(files, flow, draws):
    """Return the clip that four random numbers in [0, 1) lead to: row, column, flip, start.

    ``files`` is number of the file -> (H, W, 3) RGB in [0, 1].
    """
    row, column = (int(u * (side - CROP)) for u, side in zip(draws, AREA, strict=False))
    flip, start = round(draws[2]), int(draws[3] * (len(files) - LENGTH) + 2)
    clip = []
    for number in range(start, start + LENGTH):
        image = files[number]
        if image.shape[0] < AREA[0] or image.shape[1] < AREA[1]:
            image = bilinear(image, *AREA)
        if flip:
            image = image[:, ::-1].copy()
            if flow:
                image[:, :, 0] = 1 - image[:, :, 0]
            image = image[row:row + CROP, column:column + CROP]
        if image.shape[:2] != (CROP, CROP):
            image = bilinear(image, CROP, CROP)
        clip.append(image[:, :, ::-1].transpose(2, 0, 1) * 255
                    - np.array(MEAN)[:, None, None])
    return np.stack(clip)


def middles(choices):
    """Return random numbers that lead to each of some choices."""
    return [(choice + 0.5) / choices for choice in range(choices)]


@pytest.mark.parametrize("flow, phase", [(False, TRAIN), (True, TEST)])
def test_clips_are_those_of_the_original(tmp_path, build, flow, phase):
    frames = noisy(1, 7, *AREA)
    write_frames(tmp_path / "v", frames, "flow" if flow else "rgb")
    size = f"new_height: {AREA[0]} new_width: {AREA[1]}"
    case = build(f"""layer {{ name: "d" type: "VideoData" top: "data" top: "label" top: "cont"
      transform_param {{ crop_size: {CROP} {" ".join(f"mean_value: {m}" for m in MEAN)} }}
      video_data_param {{ source: "{write_list(tmp_path, "v 0")}" clip_length: {LENGTH} {size}
        faithful: true modality: {"FLOW" if flow else "RGB"} }} }}""", phase=phase)
    files = {number: pixels[:, :, ::-1] / 255
             for number, pixels in enumerate(frames, start=2 if flow else 1)}
    # RGB: starts 2 … n - T + 1; flow, of files 2 … n + 1: the same, and the last is never used.
    draws = itertools.product(middles(AREA[0] - CROP), middles(AREA[1] - CROP), (0.2, 0.8),
                              middles(len(files) - LENGTH))
    wanted = np.stack([imitation(files, flow, one) for one in draws])
    seen = set()
    for _ in range(300):
        case.forward()
        far = np.abs(wanted - case.top[0].host_data).max(axis=(1, 2, 3, 4))
        assert far.min() < 1  # the package rounds resized pictures to 8 bits, the original did not
        seen |= set(np.flatnonzero(far < 1).tolist())
    assert seen == set(range(len(wanted)))
