"""Decoding: channel order, grey, palettes, transparency, 16 bits, damaged files."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.picture import grey, read_picture

RGB = np.random.default_rng(3).integers(0, 256, (4, 6, 3), np.uint8)


def save(folder, picture, name="a.png", **options):
    picture.save(folder / name, **options)
    return str(folder / name)


def test_colours_come_in_bgr_order(tmp_path):
    path = save(tmp_path, Image.fromarray(RGB))
    np.testing.assert_array_equal(read_picture(path), RGB[:, :, ::-1])


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.ppm", "a.tif", "a.webp", "a.jpg"])
def test_grey_has_the_usual_weights(tmp_path, name):
    options = {"a.webp": {"lossless": True}, "a.jpg": {"quality": 100, "subsampling": 0}}
    path = save(tmp_path, Image.fromarray(RGB), name, **options.get(name, {}))
    got = read_picture(path, color=False)
    assert got.shape == (4, 6, 1) and got.dtype == np.uint8
    limit = 4 if name == "a.jpg" else 1
    assert np.abs(got[:, :, 0] - RGB @ [0.299, 0.587, 0.114]).max() <= limit


# What OpenCV 5.0 with libpng 1.6.58 reads with IMREAD_GRAYSCALE from files of these pixels.
COLOURS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 2, 3], [200, 100, 50],
                     [17, 17, 17], [90, 180, 30], [254, 255, 253]]], np.uint8)
GREYS = {"a.bmp": [76, 150, 29, 2, 124, 17, 136, 254],
         "a.png": [76, 149, 29, 1, 124, 17, 135, 254],
         "gamma": [147, 200, 95, 0, 137, 17, 149, 255]}


@pytest.mark.parametrize("name", ["a.bmp", "a.png"])
def test_recorded_grey_values(tmp_path, name):
    path = save(tmp_path, Image.fromarray(COLOURS), name)
    assert read_picture(path, color=False).ravel().tolist() == GREYS[name]


@pytest.mark.parametrize("chunk, want", [
    (("gAMA", 45455), "gamma"), (("sRGB", None), "gamma"), (("gAMA", 100000), "a.png"),
    (("gAMA", 95100), [76, 150, 29, 2, 120, 17, 132, 254])])
def test_a_png_with_a_gamma_adds_up_light(tmp_path, chunk, want):
    name, value = chunk
    notes = PngInfo()
    notes.add(name.encode(), b"\0" if value is None else value.to_bytes(4, "big"))
    path = save(tmp_path, Image.fromarray(COLOURS), pnginfo=notes)
    assert read_picture(path, color=False).ravel().tolist() == GREYS.get(str(want), want)
    np.testing.assert_array_equal(read_picture(path), COLOURS[:, :, ::-1])


def test_the_grey_of_a_jpeg_is_its_luminance(tmp_path):
    """Not what its colours, rounded, come to; and the noted rotation is carried out."""
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = np.random.default_rng(2).integers(0, 256, (32, 48, 3), np.uint8)
    path = save(tmp_path, Image.fromarray(noise), "a.jpg", quality=80, exif=exif)
    with Image.open(path) as stored:
        stored.draft("YCbCr", None)
        luminance = np.asarray(stored)[:, :, :1]
    got = read_picture(path, color=False)
    np.testing.assert_array_equal(got, np.rot90(luminance, -1))
    assert (got != grey(read_picture(path))).any()


def test_inks_of_a_jpeg_become_colours_as_in_opencv(tmp_path):
    inks = np.full((8, 8, 4), [255 - 100, 255 - 20, 255 - 3, 255 - 200], np.uint8)
    path = save(tmp_path, Image.fromarray(inks, "CMYK"), "a.jpg", quality=100)
    # red: 200 - ((255 - 100) * 200 >> 8)
    assert read_picture(path)[4, 4].tolist() == [200 - 196, 200 - 183, 200 - 121]


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
