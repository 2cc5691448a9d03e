"""Memory for one op: kept, grown on demand, never handed out twice at once."""
import threading

import numpy as np

from caffe_lrcn.backends.scratch import SmallBuffers


def test_arrays_taken_together_do_not_overlap(any_backend):
    scratch = any_backend.scratch
    for _ in range(2):  # first from separate arrays, then from the block
        scratch.rewind()
        arrays = [scratch.take((3, 5)), scratch.take(7, np.int32), scratch.take((), np.float64)]
        for value, array in enumerate(arrays):
            array[...] = value
        assert [array.shape for array in arrays] == [(3, 5), (7,), ()]
        assert [array.dtype for array in arrays] == [np.float32, np.int32, np.float64]
        assert all((array == value).all() for value, array in enumerate(arrays))


def test_the_same_demand_gets_the_same_arrays(backend):
    scratch = backend.scratch

    def take():
        scratch.rewind()
        return scratch.take((4, 4)), scratch.take(9)
    take()
    first, second = take(), take()
    assert first[0] is second[0] and first[1] is second[1]
    assert first[0].ctypes.data % 64 == 0


def test_an_array_that_did_not_fit_stays_valid_until_the_rewind(backend):
    scratch = backend.scratch
    scratch.rewind()
    small = scratch.take(4)
    small.fill(1)
    scratch.take(1 << 16).fill(2)
    assert (small == 1).all()


def test_each_thread_has_its_own(backend):
    backend.scratch.rewind()
    backend.scratch.take(8)
    backend.scratch.rewind()
    mine = backend.scratch.take(8)
    mine.fill(1)

    def other():
        for _ in range(2):
            backend.scratch.rewind()
            backend.scratch.take(8).fill(2)
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert (mine == 1).all()


def test_reading_the_scalars_clears_the_status(any_backend):
    scalars = any_backend.scalars()
    scalars.loss[...] = 2.5
    scalars.status[...] |= 5
    scalars.clip[...] = 0.5
    reading = scalars.read()
    assert (reading.status, reading.loss, reading.clip) == (5, 2.5, 0.5)
    assert scalars.read().status == 0 and scalars.read().loss == 2.5


def test_a_frame_takes_back_what_was_taken_within(any_backend):
    scratch = any_backend.scratch
    for _ in range(2):  # first from separate arrays, then from the block
        scratch.rewind()
        kept = scratch.take(4)
        kept.fill(1)
        for value in (2, 3):
            with scratch.frame():
                taken = scratch.take((8, 8))
                taken.fill(value)
        assert (kept == 1).all() and (taken == 3).all()
    assert scratch._threads.stack.block.nbytes == 2 * 256  # one array of each size


def test_an_outermost_frame_makes_room_for_the_next(backend):
    arrays = []
    for _ in range(3):
        with backend.scratch.frame():
            arrays.append(backend.scratch.take(1000))
    assert arrays[0] is not arrays[1] is arrays[2]


def test_small_buffers_end_with_the_pass():
    before = np.getbufsize()
    with SmallBuffers():
        assert np.getbufsize() < before
    assert np.getbufsize() == before


def test_changing_shapes_gather_no_views_without_end(backend):
    scratch = backend.scratch
    scratch.take(6000)
    scratch.rewind()
    for size in range(1, 6000):
        scratch.rewind()
        scratch.take(size)
    assert len(scratch._threads.stack.views) <= 4096
