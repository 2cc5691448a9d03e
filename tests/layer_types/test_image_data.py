"""ImageData as a layer: recorded batches, definition, varying sizes, cursor, warnings."""
from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.layer_types.base import TEST, TRAIN, Settings
from caffe_lrcn.layer_types.common.transformation import read_mean
from tests.harness.layers import make_layer
from tests.sources.pictures import write_pictures

GOLDEN = Path(__file__).parents[1] / "golden" / "data"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with five pictures of 6 x 8 pixels and their list."""
    write_pictures(tmp_path, [(6, 8)] * 5)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def definition(image="", transform=""):
    return ('layer { name: "d" type: "ImageData" top: "data" top: "label"\n'
            f'  transform_param {{ {transform} }}\n'
            f'  image_data_param {{ source: "list.txt" {image} }} }}')


def run(case, batches):
    seen = []
    for _ in range(batches):
        case.forward()
        seen.append([blob.host_data.copy() for blob in case.top])
    return seen


@pytest.mark.parametrize("name, levels", [("imagedata_resize", 1), ("imagedata_jpeg", 3)])
@pytest.mark.parametrize("workers", [0, 1])
def test_recorded_batches(name, levels, workers, monkeypatch, build, backend):
    monkeypatch.chdir(GOLDEN)
    with h5py.File("expected.h5") as file:
        case = build(file[name].attrs["prototxt"], phase=TEST, backend=backend,
                     settings=Settings(workers=workers))
        for index in range(2):
            case.forward()
            want = file[f"{name}/{index}/data"][...]
            got = case.top[0].host_data
            if case.top[0].count > 100_000:
                got = got[:, :, ::3, ::3]
            assert np.abs(got - want).max() <= levels
            assert case.top[1].host_data.tolist() == file[f"{name}/{index}/label"][...].tolist()


def test_tops_have_their_shapes_before_the_first_batch(folder, build):
    case = build(definition("batch_size: 2 is_color: false", "crop_size: 5"))
    assert [blob.shape for blob in case.top] == [(2, 1, 5, 5), (2,)]


def test_tops_follow_the_pictures_size(tmp_path, monkeypatch, build):
    _, pixels = write_pictures(tmp_path, [(4, 4), (6, 5)])
    monkeypatch.chdir(tmp_path)
    case = build(definition())
    for record in (0, 1, 0):
        case.forward()
        np.testing.assert_array_equal(case.top[0].host_data[0],
                                      pixels[record].transpose(2, 0, 1))


def test_mean_file(folder, build):
    mean = read_mean(str(GOLDEN / "mean.binaryproto"))
    assert mean.shape == (3, 32, 40)
    options = "new_height: 32 new_width: 40"
    plain = run(build(definition(options)), 1)[0][0]
    got = run(build(definition(options, f'mean_file: "{GOLDEN}/mean.binaryproto"')), 1)[0][0]
    np.testing.assert_allclose(got[0], plain[0] - mean)
    with pytest.raises(DataError, match="list.txt:1: layer 'd': picture '0.png': the mean "
                                        "picture does not"):
        make_layer(definition("", f'mean_file: "{GOLDEN}/mean.binaryproto"'), [])


def test_random_draws_do_not_depend_on_workers_or_batches(folder, build):
    random = "mirror: true crop_size: 4"
    one = run(build(definition("shuffle: true batch_size: 1", random), phase=TRAIN), 12)
    wanted = np.concatenate([batch[0] for batch in one])
    for workers in (0, 2):
        three = run(build(definition("shuffle: true batch_size: 3", random), phase=TRAIN,
                          settings=Settings(workers=workers)), 4)
        np.testing.assert_array_equal(np.concatenate([batch[0] for batch in three]), wanted)


@pytest.mark.parametrize("workers", [0, 2])
def test_resumes_at_a_saved_cursor(folder, build, workers):
    prototxt = definition("shuffle: true batch_size: 2 rand_skip: 4",
                          "mirror: true crop_size: 4")
    case = build(prototxt, phase=TRAIN)
    run(case, 3)
    state, rest = case.layer.state(), run(case, 4)
    other = build(prototxt, phase=TRAIN, settings=Settings(workers=workers))
    run(other, 1)
    other.layer.restore(state)
    for batch, want in zip(run(other, 4), rest, strict=True):
        np.testing.assert_array_equal(batch[0], want[0])
        np.testing.assert_array_equal(batch[1], want[1])


@pytest.mark.parametrize("workers", [0, 1])
def test_lost_picture_is_raised_when_due(folder, build, workers):
    case = build(definition("batch_size: 2"), settings=Settings(workers=workers))
    (folder / "3.png").unlink()
    run(case, 1)
    with pytest.raises(DataError, match=r"list.txt:4: picture '3.png' is missing"):
        case.forward()


def test_missing_pictures_are_found_at_the_start(folder, build):
    for name in ("2.png", "4.png"):
        (folder / name).unlink()
    with pytest.raises(DataError, match="list.txt:3: layer 'd': picture '2.png' is missing, "
                                        "and 1 more of 5.*end it with a slash"):
        build(definition("batch_size: 1"))
    (folder / "list.txt").write_text("0.png\t0\n")
    with pytest.raises(DataError, match="not a tab"):
        build(definition("batch_size: 1"))


def test_no_picture_is_missing_beside_the_list(folder, build, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    prototxt = definition("batch_size: 1").replace("list.txt", str(folder / "list.txt"))
    assert run(build(prototxt), 1)


@pytest.mark.parametrize("image, transform, message", [
    ("new_height: 4", "", "layer 'd': new_height and new_width go together"),
    ("min_width: 4", "", "layer 'd': min_height and min_width go together"),
    ("batch_size: 0", "", "at least one picture"),
    ("rand_skip: 5", "", "test.prototxt:3:41: layer 'd': rand_skip is not smaller.*less than 5"),
    ("", "crop_size: 7",
     "list.txt:1: layer 'd': picture '0.png': the picture is smaller than the crop"),
    ("", "mean_value: 1 mean_value: 2", "mean values do not fit"),
    ("", 'mean_value: 1 mean_file: "m"', "layer 'd': mean_file and mean_value are both given"),
    ("", 'mean_file: "none"', "none"),
    ('source: ""', "", "layer 'd': no source is given")])
def test_wrong_definitions(folder, image, transform, message):
    if "source" in image:
        prototxt = definition().replace('source: "list.txt"', image)
    else:
        prototxt = definition(image, transform)
    with pytest.raises(DataError, match=message):
        make_layer(prototxt, [])


@pytest.mark.parametrize("image, transform, field", [
    ("mirror: true", "", "mirror has no effect in image_data_param"),
    ("scale: 2", "", "scale has no effect in image_data_param"),
    ("crop_size: 2", "", "crop_size has no effect in image_data_param"),
    ('mean_file: "m"', "", "mean_file has no effect in image_data_param"),
    ("", "force_gray: true", "force_gray has no effect in transform_param; ImageData deci")])
def test_fields_without_effect_are_warned_about(folder, build, caplog, image, transform, field):
    # CAFFE-QUIRK
    case = build(definition(image, transform))
    assert field in caplog.text
    assert case.top[0].shape == (1, 3, 6, 8)


def test_no_warning_for_a_plain_definition(folder, build, caplog):
    build(definition("new_height: 4 new_width: 4", "crop_size: 2 mirror: true"))
    assert not caplog.records


def test_pictures_below_the_minimum_are_enlarged(folder, build):
    assert build(definition("min_height: 12 min_width: 4")).top[0].shape == (1, 3, 12, 16)


@pytest.mark.parametrize("strict", [False, True])
def test_flow_is_inverted_where_mirrored_unless_strict(folder, build, strict):
    # CAFFE-QUIRK: the branch that has flow inverts it in databases alone.
    plain = run(build(definition("batch_size: 5", "mirror: true")), 4)
    flow = run(build(definition("batch_size: 5", "mirror: true flow: true"),
                     settings=Settings(strict=strict)), 4)
    _, pixels = write_pictures(folder, [(6, 8)] * 5)
    mirrored = 0
    for before, after in zip(plain, flow, strict=True):
        for index in range(5):
            want = before[0][index].copy()
            if (want[:, 0, 0] != pixels[index][0, 0]).any():
                mirrored += 1
                want[2] = want[2] if strict else 255 - want[2]
            np.testing.assert_array_equal(after[0][index], want)
    assert 0 < mirrored < 20
