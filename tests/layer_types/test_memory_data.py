"""MemoryData: arrays given by the program, in batches."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.layer_types.base import TRAIN
from caffe_lrcn.sources.datum import array_to_datum
from tests.harness.layers import make_layer
from tests.sources.databases import encoded, pictures

DATA = np.random.default_rng(1).normal(size=(6, 3, 4, 5))
LABELS = np.arange(6.0)


def layer(transform="", sizes="batch_size: 2 channels: 3 height: 4 width: 5", **options):
    return make_layer('layer { name: "m" type: "MemoryData" top: "data" top: "label"\n'
                      f'  {transform} memory_data_param {{ {sizes} }} }}', [], **options)


def run(case, batches):
    seen = []
    for _ in range(batches):
        case.forward()
        seen.append([blob.host_data.copy() for blob in case.top])
    data, labels = (np.concatenate(arrays) for arrays in zip(*seen, strict=True))
    return data, labels.ravel().tolist()


@pytest.mark.parametrize("shape", [(6,), (6, 1, 1, 1)])
def test_batches_are_consecutive_and_wrap(any_backend, shape):
    case = layer(backend=any_backend)
    case.layer.reset(DATA, LABELS.reshape(shape))
    data, labels = run(case, 5)
    np.testing.assert_allclose(data, np.concatenate([DATA, DATA[:4]]), rtol=1e-6)
    assert labels == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]


def test_labels_have_one_axis_until_the_first_pass():
    # CAFFE-QUIRK
    case = layer()
    assert [blob.shape for blob in case.top] == [(2, 3, 4, 5), (2,)]
    case.layer.reset(DATA, LABELS)
    case.forward()
    assert [blob.shape for blob in case.top] == [(2, 3, 4, 5), (2, 1, 1, 1)]


def test_arrays_are_not_copied():
    case, data = layer(), DATA.copy()
    case.layer.reset(data, LABELS)
    data += 1
    np.testing.assert_array_equal(run(case, 3)[0], DATA + 1)


def test_reset_starts_anew_and_does_not_transform(caplog):
    case = layer("transform_param { scale: 2 }")
    case.layer.reset(DATA, LABELS)
    assert "layer 'm': transform_param is not applied" in caplog.text
    run(case, 1)
    case.layer.reset(DATA[2:], LABELS[2:])
    data, labels = run(case, 2)
    np.testing.assert_array_equal(data, DATA[2:])
    assert labels == [2, 3, 4, 5]


def test_a_pass_without_data_is_refused():
    with pytest.raises(UsageError, match="1:1: layer .m.: there are no data.*Call .*, add_dat"):
        layer().forward()


@pytest.mark.parametrize("data, labels, message", [
    (DATA[:5], LABELS[:5], "whole batches .got 5, wanted a multiple of 2"),
    (DATA[:0], LABELS[:0], "whole batches .got 0"),
    (DATA, LABELS[:5], "one label for each sample .got 5, wanted 6"),
    (DATA[:, :2], LABELS, "do not fit the layer .got .6, 2, 4, 5., wanted .K, 3, 4, 5."),
    (DATA[0], LABELS[:3], "do not fit the layer")])
def test_arrays_that_do_not_fit(data, labels, message):
    with pytest.raises(DataError, match=message):
        layer().layer.reset(data, labels)


@pytest.mark.parametrize("missing", ["batch_size: 2", "channels: 3", "height: 4", "width: 5"])
def test_sizes_must_be_given(missing):
    sizes = "batch_size: 2 channels: 3 height: 4 width: 5".replace(missing, "")
    with pytest.raises(DataError, match=f"2:4: layer 'm': .*got .*{missing.split(':')[0]} 0"):
        layer(sizes=sizes)


def test_added_datums_are_transformed():
    case = layer("transform_param { scale: 0.5 mean_value: 1 mean_value: 2 mean_value: 3 }")
    planes = pictures(4, (3, 4, 5))
    case.layer.add_datums([array_to_datum(planes[0], 5), encoded(planes[1], 6),
                           array_to_datum(planes[2], 7), array_to_datum(planes[3] * 1.0, 8)])
    data, labels = run(case, 2)
    np.testing.assert_array_equal(
        data, (np.array(planes, float) - np.array([1, 2, 3])[:, None, None]) / 2)
    assert labels == [5, 6, 7, 8]


def test_added_images_are_height_width_channels():
    case = layer()
    planes = pictures(2, (3, 4, 5))
    case.layer.add_images([each.transpose(1, 2, 0) for each in planes], [1, 2])
    np.testing.assert_array_equal(run(case, 1)[0], planes)


def test_crops_must_have_the_declared_size():
    images = [each.transpose(1, 2, 0) for each in pictures(2, (3, 6, 6))]
    case = layer("transform_param { crop_size: 4 }",
                 "batch_size: 2 channels: 3 height: 4 width: 4")
    case.layer.add_images(images, [0, 0])
    np.testing.assert_array_equal(run(case, 1)[0][0], images[0][1:5, 1:5].transpose(2, 0, 1))
    with pytest.raises(DataError, match=r"picture 0 does not fit .got \(3, 6, 6\), wanted \(3, 4"):
        layer().layer.add_images(images, [0, 0])


def test_random_draws_differ_from_call_to_call_and_are_resumed():
    images = [each.transpose(1, 2, 0) for each in pictures(8, (3, 9, 9))]
    sizes = "batch_size: 8 channels: 3 height: 4 width: 4"

    def added(case):
        case.layer.add_images(images, [0] * 8)
        return run(case, 1)[0]

    case, other = (layer("transform_param { crop_size: 4 mirror: true }", sizes, phase=TRAIN)
                   for _ in range(2))
    first = added(case)
    state, second = case.layer.state(), added(case)
    assert (first != second).any()
    other.layer.restore(state)
    np.testing.assert_array_equal(added(other), second)


def test_nothing_is_added_before_the_end_is_read():
    case, images = layer(), [np.zeros((4, 5, 3), np.uint8)] * 4
    case.layer.add_images(images, [0] * 4)
    with pytest.raises(UsageError, match="nothing can be added until the data added before"):
        case.layer.add_images(images, [0] * 4)
    run(case, 1)
    with pytest.raises(UsageError, match="batch_size cannot be changed until"):
        case.layer.batch_size = 1
    run(case, 1)
    case.layer.add_images(images, [1] * 4)
    assert run(case, 1)[1] == [1, 1]
    case.layer.reset(DATA, LABELS)
    case.layer.add_images(images, [0] * 4)


def test_the_batch_can_change_its_size():
    case = layer()
    case.layer.reset(DATA, LABELS)
    run(case, 1)
    case.layer.batch_size = 3
    assert case.layer.batch_size == 3
    assert run(case, 2)[1] == [0, 1, 2, 3, 4, 5]
    assert case.top[0].shape == (3, 3, 4, 5)
    case.layer.batch_size = 4
    with pytest.raises(DataError, match="whole batches .got 6, wanted a multiple of 4"):
        case.forward()
    with pytest.raises(UsageError, match="at least one sample"):
        case.layer.batch_size = 0


def test_a_saved_position():
    case, other = layer(), layer()
    case.layer.reset(DATA, LABELS)
    run(case, 4)
    other.layer.reset(DATA, LABELS)
    other.layer.restore(case.layer.state())
    assert run(other, 2)[1] == run(case, 2)[1] == [2, 3, 4, 5]
    other.layer.restore({"position": 6, "additions": 0})
    with pytest.raises(DataError, match="whole batches"):
        other.forward()
