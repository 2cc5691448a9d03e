"""WindowData as a layer: definition, settings, workers, resuming, what is refused."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.layer_types.base import TRAIN, Settings
from caffe_lrcn.proto.blob_proto import write_blob_proto
from tests.harness.layers import make_layer
from tests.sources.pictures import write_pictures

WINDOWS = ("# 0\n0.png\n3\n20\n30\n3\n1 0.9 2 3 12 9\n2 0.8 0 0 29 19\n3 0.1 5 5 9 9\n"
           "# 1\n1.png\n3\n16\n16\n1\n4 0.2 0 0 15 15\n")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with two pictures and a list of two windows of either kind."""
    write_pictures(tmp_path, [(20, 30), (16, 16)])
    (tmp_path / "windows.txt").write_text(WINDOWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def definition(window="batch_size: 4", transform="crop_size: 8", source="windows.txt"):
    return ('layer { name: "d" type: "WindowData" top: "data" top: "label"\n'
            f'  transform_param {{ {transform} }}\n'
            f'  window_data_param {{ source: "{source}" {window} }} }}')


def run(case, batches):
    seen = []
    for _ in range(batches):
        case.forward()
        seen.append([blob.host_data.copy() for blob in case.top])
    return [np.concatenate(arrays) for arrays in zip(*seen, strict=True)]


@pytest.mark.parametrize("batch, fraction, foreground", [(4, "", 1), (4, "fg_fraction: 0.5", 2),
                                                         (3, "fg_fraction: 1", 3),
                                                         (3, "fg_fraction: 0", 0),
                                                         (10, "fg_fraction: 0.7", 7)])
def test_the_number_of_foreground_windows(folder, build, batch, fraction, foreground):
    case = build(definition(f"batch_size: {batch} {fraction}"))
    assert [blob.shape for blob in case.top] == [(batch, 3, 8, 8), (batch,)]
    labels = run(case, 1)[1]
    assert (labels > 0).tolist() == [False] * (batch - foreground) + [True] * foreground


@pytest.mark.parametrize("workers", [0, 2])
def test_any_number_of_workers_and_any_cursor_give_the_same_bits(folder, build, workers):
    prototxt = definition("batch_size: 4 context_pad: 2 crop_mode: 'square' cache_images: true",
                          "crop_size: 8 mirror: true mean_value: 100")
    case = build(prototxt, phase=TRAIN)
    want = run(case, 2)
    state, rest = case.layer.state(), run(case, 3)
    other = build(prototxt, phase=TRAIN, settings=Settings(workers=workers))
    for got, expected in zip(run(other, 2), want, strict=True):
        np.testing.assert_array_equal(got, expected)
    run(other, 2)
    other.layer.restore(state)
    for got, expected in zip(run(other, 3), rest, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("window, transform, strict, factor", [
    ("scale: 0.5", "", False, 0.5), ("scale: 0.5", "", True, 0.5),
    ("", "scale: 0.25", False, 0.25), ("", "scale: 0.25", True, 1),
    ("scale: 0.5", "scale: 0.25", False, 0.5), ("scale: 0.5", "scale: 0.25", True, 0.5)])
def test_where_the_scale_stands(folder, build, window, transform, strict, factor):
    # CAFFE-QUIRK: with strict, transform_param's scale is not looked at.
    plain = run(build(definition()), 1)[0]
    got = run(build(definition(f"batch_size: 4 {window}", f"crop_size: 8 {transform}"),
                    settings=Settings(strict=strict)), 1)[0]
    np.testing.assert_array_equal(got, plain * factor)


def test_fields_without_effect_are_warned_about(folder, build, caplog):
    # CAFFE-QUIRK
    for field in ("mirror: true", "crop_size: 4", 'mean_file: "m"'):
        case = build(definition(f"batch_size: 4 {field}"))
        assert f"{field.split(':')[0]} has no effect in window_data_param" in caplog.text
        assert case.top[0].shape == (4, 3, 8, 8)
    assert len(caplog.records) == 3


def test_mean_file(folder, build):
    mean = np.random.default_rng(1).normal(size=(1, 3, 12, 10)).astype(np.float32)
    write_blob_proto("mean.binaryproto", mean)
    plain = run(build(definition()), 1)[0]
    got = run(build(definition(transform='crop_size: 8 mean_file: "mean.binaryproto"')), 1)[0]
    np.testing.assert_allclose(got, plain - mean[:, :, 1:9, 1:9])


@pytest.mark.parametrize("shape", [(1, 3, 8, 7), (1, 3, 7, 8), (1, 1, 9, 9), (1, 3, 9, 12)])
def test_means_that_do_not_fit(folder, shape):
    write_blob_proto("mean.binaryproto", np.zeros(shape, np.float32))
    with pytest.raises(DataError, match="2:3: layer 'd': the mean does not fit the squares"):
        make_layer(definition(transform='crop_size: 8 mean_file: "mean.binaryproto"'), [])


def test_root_folder_stands_before_names(folder, build):
    (folder / "windows.txt").write_text(WINDOWS.replace("0.png", ".png").replace("1.png", ".png"))
    assert run(build(definition('batch_size: 4 root_folder: "0"')), 1)[0].any()


@pytest.mark.parametrize("window, transform, message", [
    ("batch_size: 4", "", "test.prototxt:2:3: layer 'd': crop_size is not given"),
    ("batch_size: 0", "crop_size: 8", "at least one window"),
    ("batch_size: 4 context_pad: 4", "crop_size: 8", "3:59: .*no room.*got 4, wanted less than ha"),
    ("batch_size: 4 fg_fraction: 1.5", "crop_size: 8", "fg_fraction is not a fraction"),
    ("batch_size: 4 fg_threshold: 0.95", "crop_size: 8",
     "windows.txt: layer 'd': the list has no foreground windows .wanted at least 1, to draw 1"),
    ("batch_size: 4 bg_threshold: 0.05", "crop_size: 8", "no background windows .*to draw 3"),
    ("batch_size: 4", "crop_size: 8 mean_value: 1 mean_value: 2", "mean does not fit"),
    ("batch_size: 4", "crop_size: 8 mean_value: 1 mean_file: 'm'", "both given"),
    ("batch_size: 4 source: ''", "crop_size: 8", "layer 'd': no source is given"),
    ("batch_size: 4 source: 'none'", "crop_size: 8", "none: layer 'd': cannot read the list file")])
def test_wrong_definitions(folder, window, transform, message):
    prototxt = definition(window, transform)
    if "source" in window:
        prototxt = prototxt.replace('source: "windows.txt"', "")
    with pytest.raises(DataError, match=message):
        make_layer(prototxt, [])


def test_kinds_that_are_not_drawn_may_be_absent(folder, build):
    build(definition("batch_size: 2 fg_fraction: 0 fg_threshold: 2"))
    build(definition("batch_size: 2 fg_fraction: 1 bg_threshold: 0"))


@pytest.mark.parametrize("workers", [0, 1])
def test_windows_outside_of_their_picture(folder, build, workers):
    (folder / "windows.txt").write_text(WINDOWS.replace("2 3 12 9", "2 3 12 99"))
    case = build(definition("batch_size: 20 fg_fraction: 1"), settings=Settings(workers=workers))
    with pytest.raises(DataError, match="windows.txt:7: picture '0.png': a window is empty or lies"
                                        " outside.*got x1 2 y1 3 x2 12 y2 99, wanted within 30"):
        case.forward()
