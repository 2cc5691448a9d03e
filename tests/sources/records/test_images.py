"""Listed pictures: order, shuffling, random draws, sizes, errors."""
from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.base import Random
from caffe_lrcn.sources.batcher import BatchSpec
from caffe_lrcn.sources.listing import read_picture_list
from caffe_lrcn.sources.orders import Epochs
from caffe_lrcn.sources.preprocessing import Preprocessing
from caffe_lrcn.sources.records.images import ImageRecords
from caffe_lrcn.sources.transform import Transform

from ..pictures import write_pictures

TRAIN, TEST = 0, 1


@pytest.fixture
def listed(tmp_path):
    return write_pictures(tmp_path, [(6, 8)] * 5)


def make_spec(path, batch_size=2, transform=None, seed=1, shuffle=False, rand_skip=0, color=True,
              new_size=None, min_size=None, **options):
    options.setdefault("beside", (path,))
    records = ImageRecords(read_picture_list(path), preprocessing=Preprocessing(
        new_size=new_size, min_size=min_size, color=color), **options)
    order = Epochs(records.count, shuffle, rand_skip=rand_skip)
    return BatchSpec(partial(replace, records), order, batch_size, Random(seed, TRAIN, "data"),
                     transform or Transform())


def read(spec, records, start=None):
    """Return (pictures, labels) of consecutive batches."""
    source, cursor = spec.open(), start or spec.start_cursor()
    pictures, labels = [], []
    while len(labels) < records:
        batch = source.batch(cursor)
        cursor = batch.next_cursor
        pictures.extend(batch.arrays[0])
        labels.extend(batch.arrays[1].astype(int).tolist())
    return np.array(pictures[:records]), labels[:records]


def test_pictures_come_in_order_and_wrap(listed):
    path, pixels = listed
    pictures, labels = read(make_spec(path), 8)
    assert labels == [0, 1, 2, 3, 4, 0, 1, 2]
    for picture, label in zip(pictures, labels, strict=True):
        np.testing.assert_array_equal(picture, pixels[label].transpose(2, 0, 1))


def test_shapes(listed):
    assert make_spec(listed[0]).open().shapes() == [(2, 3, 6, 8), (2,)]
    assert make_spec(listed[0], color=False, new_size=(4, 5)).open().shapes()[0] == (2, 1, 4, 5)
    assert make_spec(listed[0], min_size=(12, 4)).open().shapes()[0] == (2, 3, 12, 16)
    cropped = make_spec(listed[0], transform=Transform(crop_size=3))
    assert cropped.open().shapes()[0] == (2, 3, 3, 3)


def test_shuffling_permutes_each_epoch(listed):
    _, labels = read(make_spec(listed[0], 3, shuffle=True), 40)
    epochs = [labels[start:start + 5] for start in range(0, 40, 5)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert epochs[0] != [0, 1, 2, 3, 4] and len({tuple(epoch) for epoch in epochs}) > 4
    assert read(make_spec(listed[0], 2, shuffle=True), 40)[1] == labels
    assert read(make_spec(listed[0], 3, shuffle=True, seed=2), 40)[1] != labels


def test_random_draws_belong_to_the_record(listed):
    transform = Transform(mirror=True, crop_size=3, phase=TRAIN)
    pictures, _ = read(make_spec(listed[0], 3, transform, shuffle=True), 30)
    other, _ = read(make_spec(listed[0], 5, transform, shuffle=True), 30)
    np.testing.assert_array_equal(pictures, other)
    later, _ = read(make_spec(listed[0], 3, transform, shuffle=True), 20, {"record": 10})
    np.testing.assert_array_equal(later, pictures[10:])
    assert (read(make_spec(listed[0], 3, transform, seed=2), 30)[0] != pictures).any()


def test_a_picture_is_cropped_anew_in_each_epoch(listed):
    transform = Transform(crop_size=2, phase=TRAIN)
    pictures, labels = read(make_spec(listed[0], 5, transform), 30)
    assert len({pictures[i].tobytes() for i in range(30) if labels[i] == 0}) > 1


def test_rand_skip_starts_below_its_value(listed):
    starts = {make_spec(listed[0], rand_skip=3, seed=seed).start_cursor()["record"]
              for seed in range(40)}
    assert starts == {0, 1, 2}
    first = make_spec(listed[0], rand_skip=3, seed=4)
    assert first.start_cursor() == first.start_cursor()


def test_root_folder_is_a_plain_prefix(tmp_path):
    path, _ = write_pictures(tmp_path, [(4, 4)], ["pre_a.png"])
    (tmp_path / "list.txt").write_text("a.png 3\n")
    assert read(make_spec(path, root_folder="pre_"), 2)[1] == [3, 3]
    assert read(make_spec(path, root_folder=f"{tmp_path}/pre_", beside=()), 2)[1] == [3, 3]


def test_names_are_looked_for_in_the_working_folder_first(listed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read(make_spec(listed[0], beside=()), 5)[1] == [0, 1, 2, 3, 4]


def test_missing_picture_is_named_with_its_line(listed, tmp_path):
    (tmp_path / "3.png").unlink()
    with pytest.raises(DataError, match=r"list.txt:4: picture '3.png' is missing"):
        read(make_spec(listed[0], 5), 5)


def test_tab_before_the_label_is_explained(listed, tmp_path):
    (tmp_path / "list.txt").write_text("0.png\t3\n")
    with pytest.raises(DataError, match="by a space, not a tab"):
        read(make_spec(listed[0]), 2)


def test_sizes_must_agree_within_a_batch(tmp_path):
    path, _ = write_pictures(tmp_path, [(4, 4), (4, 4), (6, 5)])
    with pytest.raises(DataError, match=r"list.txt:3: picture '.*2.png' has another size.*3, 6, 5.*"
                                        r"3, 4, 4.*0.png.*list.txt:1.*new_height"):
        read(make_spec(path, 3), 3)
    pictures, _ = read(make_spec(path, new_size=(4, 4)), 4)
    assert pictures.shape == (4, 3, 4, 4)
    pictures, _ = read(make_spec(path, transform=Transform(crop_size=4, phase=TEST)), 4)
    assert pictures.shape == (4, 3, 4, 4)


def test_sizes_may_change_from_batch_to_batch(tmp_path):
    path, pixels = write_pictures(tmp_path, [(4, 4), (6, 5)])
    source = make_spec(path, 1).open()
    for record in range(2):
        got = source.batch({"record": record}).arrays[0]
        np.testing.assert_array_equal(got[0], pixels[record].transpose(2, 0, 1))


def test_picture_that_does_not_fit_the_transform_is_named(tmp_path):
    path, _ = write_pictures(tmp_path, [(9, 9), (4, 9)])
    with pytest.raises(DataError, match=r"list.txt:2: picture '.*1.png': the picture is smaller"):
        read(make_spec(path, 1, Transform(crop_size=5)), 2)
