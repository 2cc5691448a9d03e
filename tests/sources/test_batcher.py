"""Groups, shards and placing, over records in memory."""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.base import Random
from caffe_lrcn.sources.batcher import BatchSpec
from caffe_lrcn.sources.orders import Drawn, Epochs, Rounds
from caffe_lrcn.sources.prefetch import Prefetcher
from caffe_lrcn.sources.records.base import Record
from caffe_lrcn.sources.transform import Picture, Transform

RANDOM = Random(1, 0, "data")


@dataclass
class InMemory:
    """Record ``k``: a picture, the same for all, and the label ``k``.

    Its end is unknown until it is met, unless ``known``.
    """

    size: int
    known: bool = True
    pictures = (True, False)

    def __post_init__(self):
        self.count = self.size if self.known else None

    def read(self, numbers):
        for number in numbers.tolist():
            if number >= self.size:
                self.count = self.size
                return
            pixels = np.arange(6 * 7, dtype=np.uint8).reshape(6, 7, 1)
            yield Record((Picture(pixels), number))

    def place(self, number):
        return f"record {number}", ""

    def close(self):
        pass


def make_spec(records, batch_size, order=None, known=True, **options):
    group = options.get("group", 1)
    order = order or Epochs(records // group, options.pop("shuffle", False))
    return BatchSpec(partial(InMemory, records, known), order, batch_size, RANDOM, **options)


def read(spec, batches, cursor=None):
    """Return pictures and labels of each batch, and the cursor of the one that follows."""
    source, cursor, seen = spec.open(), cursor or spec.start_cursor(), []
    for _ in range(batches):
        batch = source.batch(cursor)
        seen.append(batch.arrays)
        cursor = batch.next_cursor
    source.close()
    labels = [arrays[1].astype(int).tolist() for arrays in seen]
    return [arrays[0] for arrays in seen], labels, cursor


orders = pytest.mark.parametrize("order", [
    Epochs(10), Epochs(10, shuffle=True), Epochs(10, True, files=(3, 0, 5, 2)),
    Epochs(10, True, rand_skip=7), Rounds(10), Rounds(), Drawn((4, 6), (1, 2))])


@orders
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_together_read_what_one_rank_reads(order, ranks):
    known = order != Rounds()
    spec = make_spec(10, 3, order, known, transform=Transform(mirror=True, crop_size=3))
    pictures, labels, _ = read(spec, 5 * ranks)
    for rank in range(ranks):
        mine = read(replace(spec, shard=(rank, ranks)), 5)
        assert mine[1] == labels[rank::ranks]
        np.testing.assert_array_equal(mine[0], pictures[rank::ranks])


@orders
def test_a_cursor_is_the_same_on_all_ranks_and_for_other_numbers_of_ranks(order):
    spec = make_spec(10, 3, order)
    cursors = [read(replace(spec, shard=(rank, 2)), 3)[2] for rank in range(2)]
    assert cursors[0] == cursors[1] == read(spec, 6)[2]
    assert cursors[0] == replace(spec, shard=(1, 2)).next_cursor(
        read(replace(spec, shard=(0, 2)), 2)[2])
    assert read(spec, 2, cursors[0])[1] == read(spec, 8)[1][6:]
    assert read(replace(spec, shard=(2, 3)), 1, cursors[0])[1] == read(spec, 9)[1][8:]


@pytest.mark.parametrize("shuffle", [False, True])
def test_records_of_a_group_stay_together(shuffle):
    spec = make_spec(12, 2, shuffle=shuffle, group=3)
    _, labels, cursor = read(spec, 4)
    groups = np.reshape(labels, (8, 3))
    np.testing.assert_array_equal(groups, groups[:, :1] + np.arange(3))
    assert sorted(groups[:4, 0]) == sorted(groups[4:, 0]) == [0, 3, 6, 9]
    assert (groups[:4, 0].tolist() != [0, 3, 6, 9]) is shuffle
    assert cursor == {"record": 8}, "a cursor counts groups"


def test_records_of_a_group_share_crop_and_flip():
    spec = make_spec(12, 4, group=3, transform=Transform(mirror=True, crop_size=3))
    pictures, _, _ = read(spec, 6)
    groups = np.reshape(pictures, (24, 3, 9))
    np.testing.assert_array_equal(groups, np.repeat(groups[:, :1], 3, axis=1))
    assert len({group.tobytes() for group in groups}) > 10, "and each group has its own"
    # A group is drawn as a record of its place is.
    alone, _, _ = read(make_spec(12, 4, transform=spec.transform), 6)
    np.testing.assert_array_equal(groups[:, 0], np.reshape(alone, (24, 9)))


def test_drawn_groups_share_crop_and_flip():
    spec = make_spec(12, 3, Drawn((2, 2), (1, 2)), group=3, transform=Transform(mirror=True))
    pictures, labels, _ = read(spec, 8)
    groups = np.reshape(pictures, (24, 3, 42))
    np.testing.assert_array_equal(groups, np.repeat(groups[:, :1], 3, axis=1))
    assert len({group.tobytes() for group in groups}) == 2
    assert {label // 6 for batch in labels for label in batch[:3]} == {0}


@pytest.mark.parametrize("shard", [(0, 1), (1, 2)])
def test_time_major_places_a_group_along_time(shard):
    spec = make_spec(24, 4, shuffle=True, group=3, shard=shard,
                     transform=Transform(mirror=True, crop_size=3))
    pictures, labels, _ = read(spec, 3)
    timed = read(replace(spec, time_major=True), 3)
    for batch in range(3):
        by_unit = np.reshape(labels[batch], (4, 3))
        np.testing.assert_array_equal(np.reshape(timed[1][batch], (3, 4)), by_unit.T)
        np.testing.assert_array_equal(timed[0][batch].reshape(3, 4, 9),
                                      pictures[batch].reshape(4, 3, 9).swapaxes(0, 1))


def test_a_group_that_the_end_cuts_is_dropped():
    for order, known in ((Rounds(), False), (Rounds(3), True), (Epochs(3), True)):
        spec = make_spec(11, 2, order, known, group=3)
        assert np.reshape(read(spec, 3)[1], (6, 3))[:, 0].tolist() == [0, 3, 6, 0, 3, 6]


def test_fewer_records_than_a_group_are_refused():
    with pytest.raises(DataError, match="fewer records than a group has .got 2, wanted 3"):
        read(make_spec(2, 1, Rounds(), known=False, group=3), 1)


def test_an_end_that_is_met_late_changes_nothing():
    known = make_spec(7, 3, Rounds(7), transform=Transform(mirror=True))
    late = make_spec(7, 3, Rounds(), known=False, transform=Transform(mirror=True))
    assert read(known, 9)[1:] == read(late, 9)[1:]
    np.testing.assert_array_equal(read(known, 9)[0], read(late, 9)[0])
    assert read(late, 1, {"record": 23, "epoch": 1})[1:] == ([[2, 3, 4]], {"record": 5, "epoch": 4})


@pytest.mark.parametrize("workers", [0, 2])
def test_groups_and_shards_do_not_depend_on_workers(workers):
    spec = make_spec(12, 2, shuffle=True, group=3, shard=(1, 2), time_major=True,
                     transform=Transform(mirror=True))
    want = read(spec, 5)
    ahead = Prefetcher(spec, spec.start_cursor(), shapes=spec.open().shapes(), depth=3,
                       workers=workers)
    try:
        for pictures, labels in zip(*want[:2], strict=True):
            batch = ahead.next()
            np.testing.assert_array_equal(batch.arrays[0], pictures)
            assert batch.arrays[1].tolist() == labels
        assert ahead.cursor == want[2]
    finally:
        ahead.close()


def test_shapes_count_records():
    spec = make_spec(12, 2, group=3, time_major=True, transform=Transform(crop_size=5))
    assert spec.open().shapes() == [(6, 1, 5, 5), (6,)]
