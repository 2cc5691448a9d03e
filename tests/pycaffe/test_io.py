"""``caffe.io``: messages, pictures, Transformer."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import caffe_lrcn as caffe
from caffe_lrcn.errors import DataError
from caffe_lrcn.proto import caffe_pb2

io = caffe.io
RNG = np.random.default_rng(4)


def picture(tmp_path, pixels):
    path = str(tmp_path / "p.png")
    Image.fromarray(pixels).save(path)
    return path


# Messages


def test_blob_protos_to_arrays_and_back():
    array, diff = RNG.normal(size=(2, 3, 1)), RNG.normal(size=(2, 3, 1))
    blob = io.array_to_blobproto(array, diff)
    assert list(blob.shape.dim) == [2, 3, 1] and not blob.HasField("num")
    np.testing.assert_allclose(io.blobproto_to_array(blob), array, rtol=1e-6)
    np.testing.assert_allclose(io.blobproto_to_array(blob, return_diff=True), diff, rtol=1e-6)
    assert not io.array_to_blobproto(array).diff


def test_blob_protos_with_the_old_dimensions_or_none():
    old = caffe_pb2.BlobProto(num=1, channels=2, height=1, width=3, data=range(6))
    assert io.blobproto_to_array(old).shape == (1, 2, 1, 3)
    scalar = caffe_pb2.BlobProto(data=[4])
    assert io.blobproto_to_array(scalar).shape == ()
    scalar.data.append(5)
    with pytest.raises(ValueError, match="do not fill its shape"):
        io.blobproto_to_array(scalar)


def test_lists_of_arrays_as_bytes():
    arrays = [np.arange(3.0), np.ones((1, 2))]
    content = io.arraylist_to_blobprotovector_str(arrays)
    assert content == io.arraylist_to_blobprotovecor_str(arrays)
    for got, want in zip(io.blobprotovector_str_to_arraylist(content), arrays, strict=True):
        np.testing.assert_array_equal(got, want)


def test_arrays_to_datums():
    whole = RNG.integers(0, 256, (3, 2, 4), dtype=np.uint8)
    datum = io.array_to_datum(whole, 7)
    assert datum.data == whole.tobytes() and datum.label == 7
    assert (datum.channels, datum.height, datum.width) == (3, 2, 4)
    floats = io.array_to_datum(whole / 3)
    assert not floats.data and len(floats.float_data) == 24 and not floats.HasField("label")
    with pytest.raises(ValueError, match="one picture"):
        io.array_to_datum(whole[0])


def test_datums_to_arrays():
    whole = RNG.integers(0, 256, (3, 2, 4), dtype=np.uint8)
    back = io.datum_to_array(io.array_to_datum(whole))
    assert back.dtype == np.uint8 and (back == whole).all()
    floats = io.datum_to_array(io.array_to_datum(whole / 4))
    assert floats.dtype == np.float64 and (floats == whole / 4).all()
    with pytest.raises(DataError, match="do not fill"):
        io.datum_to_array(caffe_pb2.Datum(channels=1, height=1, width=2, data=b"a"))


# Pictures


def test_load_image_in_colour(tmp_path):
    pixels = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    got = io.load_image(picture(tmp_path, pixels))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, pixels / 255, rtol=1e-6)
    with_alpha = np.dstack([pixels, pixels[..., 0]])
    np.testing.assert_allclose(io.load_image(picture(tmp_path, with_alpha)), pixels / 255,
                               rtol=1e-6)


def test_load_image_in_grey(tmp_path):
    pixels = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    got = io.load_image(picture(tmp_path, pixels), color=False)
    want = pixels / 255 @ np.array([0.2125, 0.7154, 0.0721])
    assert got.shape == (4, 5, 1) and got.dtype == np.float32
    np.testing.assert_allclose(got[..., 0], want, rtol=1e-5)
    grey = picture(tmp_path, pixels[..., 0])
    np.testing.assert_allclose(io.load_image(grey, False)[..., 0], pixels[..., 0] / 255, rtol=1e-6)
    tiled = io.load_image(grey)
    assert tiled.shape == (4, 5, 3) and (tiled[..., 2] == tiled[..., 0]).all()


def test_load_image_with_sixteen_bits_and_without_a_file(tmp_path):
    deep = np.array([[0, 65535], [32768, 256]], np.uint16)
    got = io.load_image(picture(tmp_path, deep), color=False)
    np.testing.assert_allclose(got[..., 0], deep / 65535, rtol=1e-6)
    with pytest.raises(DataError, match="none.png"):
        io.load_image(str(tmp_path / "none.png"))


def bilinear(image, height, width):
    """Half-pixel centres; taps outside of the picture count as its darkest value."""
    low = image.min()
    out = np.empty((height, width, image.shape[2]))
    padded = np.pad(image - low, ((1, 1), (1, 1), (0, 0)))
    for y in range(height):
        for x in range(width):
            v = (y + 0.5) * image.shape[0] / height + 0.5
            u = (x + 0.5) * image.shape[1] / width + 0.5
            y0, x0 = int(v), int(u)
            dy, dx = v - y0, u - x0
            box = padded[y0:y0 + 2, x0:x0 + 2]
            out[y, x] = low + ((1 - dy) * ((1 - dx) * box[0, 0] + dx * box[0, 1])
                               + dy * ((1 - dx) * box[1, 0] + dx * box[1, 1]))
    return out


@pytest.mark.parametrize("size", [(3, 4), (8, 6), (12, 13)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resize_image(size, channels):
    # CAFFE-QUIRK: the darkest value is mixed into the border of what is enlarged.
    image = RNG.uniform(2, 5, (6, 6, channels))
    got = io.resize_image(image, size)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, bilinear(image, *size), rtol=1e-5)


def test_resize_image_of_other_kinds():
    constant = np.full((4, 4, 3), 7.5)
    assert (io.resize_image(constant, (2, 6)) == 7.5).all()
    assert io.resize_image(constant, (2, 6)).shape == (2, 6, 3)
    many = np.repeat(np.arange(5.0)[:, None, None], 5, 1).repeat(2, 2)
    # Corners are aligned: 5 rows from 0 to 4 become 9 from 0 to 4.
    np.testing.assert_allclose(io.resize_image(many, (9, 5))[:, 0, 1], np.arange(9) / 2, atol=1e-6)
    sharp = RNG.uniform(size=(6, 6, 1))
    assert set(io.resize_image(sharp, (3, 3), interp_order=0).ravel()) <= set(
        sharp.astype("f4").ravel())
    cubic = io.resize_image(sharp, (12, 12), interp_order=3)
    assert sharp.min() - 1e-6 <= cubic.min() and cubic.max() <= sharp.max() + 1e-6


def test_oversample():
    # CAFFE-QUIRK: the centre is rounded down.
    images = RNG.uniform(size=(2, 5, 6, 3)).astype("f4")
    crops = io.oversample(images, (2, 3))
    assert crops.shape == (20, 2, 3, 3) and crops.dtype == np.float32
    spots = [(0, 0), (0, 3), (3, 0), (3, 3), (1, 1)]
    for index, (y, x) in enumerate(spots):
        want = images[1, y:y + 2, x:x + 3]
        np.testing.assert_array_equal(crops[10 + index], want)
        np.testing.assert_array_equal(crops[15 + index], want[:, ::-1])
    flow = io.oversample(images, (2, 3), flow=True)
    np.testing.assert_allclose(flow[5, ..., 0], 1 - crops[5, ..., 0])
    np.testing.assert_array_equal(flow[5, ..., 1:], crops[5, ..., 1:])
    np.testing.assert_array_equal(flow[:5], crops[:5])
    with pytest.raises(ValueError, match="smaller than the crop"):
        io.oversample(images, (6, 3))


def test_flip_image():
    image = RNG.uniform(size=(2, 3, 3))
    np.testing.assert_array_equal(io.flip_image(image), image[:, ::-1])
    flow = io.flip_image(image, 255, True)
    np.testing.assert_array_equal(flow[..., 0], 255 - image[:, ::-1, 0])
    np.testing.assert_array_equal(flow[..., 1:], image[:, ::-1, 1:])


# Transformer


def transformer():
    made = io.Transformer({"data": (1, 3, 4, 5)})
    made.set_transpose("data", (2, 0, 1))
    made.set_channel_swap("data", (2, 0, 1))
    made.set_raw_scale("data", 255)
    made.set_mean("data", np.array([1.0, 2, 3]))
    made.set_input_scale("data", 0.5)
    return made


def test_preprocess_in_its_order():
    image = RNG.uniform(size=(4, 5, 3)).astype("f4")
    want = (image.transpose(2, 0, 1)[[2, 0, 1]] * 255
            - np.array([1, 2, 3])[:, None, None]) * 0.5
    got = transformer().preprocess("data", image)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-5)
    large = RNG.uniform(size=(8, 10, 3))
    np.testing.assert_allclose(transformer().preprocess("data", large),
                               transformer().preprocess("data", io.resize_image(large, (4, 5))),
                               rtol=1e-5)


def test_preprocess_leaves_its_argument_alone():
    made = io.Transformer({"data": (1, 3, 4, 5)})
    made.set_transpose("data", (2, 0, 1))
    made.set_raw_scale("data", 255)
    image = np.ones((4, 5, 3), "f4")
    assert (made.preprocess("data", image) == 255).all() and (image == 1).all()


def test_deprocess_undoes_preprocess():
    image = RNG.uniform(size=(4, 5, 3)).astype("f4")
    made = transformer()
    blob = made.preprocess("data", image)[np.newaxis]
    kept = blob.copy()
    np.testing.assert_allclose(made.deprocess("data", blob), image, atol=1e-5)
    np.testing.assert_array_equal(blob, kept)
    grey = io.Transformer({"data": (1, 1, 4, 5)})
    grey.set_transpose("data", (2, 0, 1))
    assert grey.deprocess("data", np.ones((1, 1, 4, 5))).shape == (4, 5, 1)


def test_means_of_every_form():
    made = io.Transformer({"data": (1, 3, 4, 5)})
    black = np.zeros((3, 4, 5), "f4")
    for mean in (np.arange(3.0), RNG.normal(size=(4, 5)), RNG.normal(size=(3, 4, 5))):
        made.set_mean("data", mean)
        full = mean[:, None, None] if mean.ndim == 1 else mean
        blob = black.transpose(1, 2, 0)
        made.set_transpose("data", (2, 0, 1))
        np.testing.assert_allclose(made.preprocess("data", blob),
                                   np.broadcast_to(-full, black.shape), rtol=1e-5)
    wide = RNG.uniform(size=(3, 8, 10))
    made.set_mean("data", wide)
    np.testing.assert_allclose(made.mean["data"],
                               io.resize_image(wide.transpose(1, 2, 0), (4, 5)).transpose(2, 0, 1))


def test_a_constant_mean_is_resized_without_nan():
    made = io.Transformer({"data": (1, 3, 4, 5)})
    made.set_mean("data", np.full((3, 9, 9), 104.0))
    assert (made.mean["data"] == 104).all() and made.mean["data"].shape == (3, 4, 5)


def test_settings_that_do_not_fit():
    made = io.Transformer({"data": (1, 3, 4, 5)})
    for call, value in ((made.set_transpose, (1, 0)), (made.set_channel_swap, (1, 0)),
                        (made.set_mean, np.zeros(4)), (made.set_mean, np.zeros((2, 4, 5))),
                        (made.set_mean, np.zeros((1, 3, 4, 5)))):
        with pytest.raises(ValueError, match="data"):
            call("data", value)
        with pytest.raises(Exception, match="'x' is not an input"):
            call("x", value)
    for method in ("preprocess", "deprocess", "set_raw_scale", "set_input_scale"):
        with pytest.raises(Exception, match="'x' is not an input"):
            getattr(made, method)("x", 1)
    made.set_is_flow("data", True)
    assert made.is_flow == {"data": True}
