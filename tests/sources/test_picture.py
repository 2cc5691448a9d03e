"""Decoding: channel order, grey, palettes, transparency, 16 bits, damaged files."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.picture import grey, read_picture

RGB = np.random.default_rng(3).integers(0, 256, (4, 6, 3), np.uint8)


def save(folder, picture, name="a.png", **options):
    picture.save(folder / name, **options)
    return str(folder / name)


def test_colours_come_in_bgr_order(tmp_path):
    path = save(tmp_path, Image.fromarray(RGB))
    np.testing.assert_array_equal(read_picture(path), RGB[:, :, ::-1])


def test_grey_has_the_usual_weights(tmp_path):
    path = save(tmp_path, Image.fromarray(RGB))
    got = read_picture(path, color=False)
    assert got.shape == (4, 6, 1) and got.dtype == np.uint8
    assert np.abs(got[:, :, 0] - RGB @ [0.299, 0.587, 0.114]).max() <= 0.51


@pytest.mark.parametrize("bgr, value", [((255, 255, 255), 255), ((0, 0, 255), 76),
                                        ((0, 255, 0), 150), ((255, 0, 0), 29)])
def test_grey_of_pure_colours(bgr, value):
    assert grey(np.array([[bgr]], np.uint8)).item() == value


def test_transparency_is_dropped_not_blended(tmp_path):
    alpha = np.zeros((4, 6, 1), np.uint8)
    path = save(tmp_path, Image.fromarray(np.concatenate([RGB, alpha], axis=2)))
    np.testing.assert_array_equal(read_picture(path), RGB[:, :, ::-1])


@pytest.mark.parametrize("color, channels", [(True, 3), (False, 1)])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "P", "CMYK"])
def test_other_modes(tmp_path, mode, color, channels):
    values = np.array([[0, 255], [255, 0]], np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(values.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(values).convert("RGB" if mode in "P CMYK" else "L").convert(mode)
    path = save(tmp_path, picture, "a.tif" if mode == "CMYK" else "a.png")
    want = np.repeat(values[:, :, None], channels, axis=2)
    np.testing.assert_array_equal(read_picture(path, color), want)


def test_sixteen_bits_keep_the_high_byte(tmp_path):
    path = save(tmp_path, Image.fromarray(np.array([[0x12FF, 0x8000]], np.uint16)))
    assert read_picture(path, color=False).ravel().tolist() == [0x12, 0x80]


def test_noted_rotation_is_carried_out(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    path = save(tmp_path, Image.fromarray(RGB), exif=exif)
    np.testing.assert_array_equal(read_picture(path), np.rot90(RGB[:, :, ::-1], -1))


def test_missing_and_damaged_pictures_are_named(tmp_path):
    with pytest.raises(DataError, match="'.*none.png' is missing"):
        read_picture(str(tmp_path / "none.png"))
    (tmp_path / "text.png").write_text("no picture")
    noise = np.random.default_rng(1).integers(0, 256, (80, 60, 3), np.uint8)
    whole = Path(save(tmp_path, Image.fromarray(noise)))
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:5000])
    save(tmp_path, Image.fromarray(np.ones((2, 2), np.float32)), "float.tif")
    for name in ("text.png", "cut.png", "float.tif", ""):
        with pytest.raises(DataError, match=f"'.*{name}' cannot be read"):
            read_picture(str(tmp_path / name))
