"""Products of NumPy's that are too small to be divided among threads."""
from __future__ import annotations

import threading

import numpy as np
import pytest

from caffe_lrcn.backends.cpu import blas, threads


class Library:
    """Stands for the library's control; remembers how many threads were set."""

    def __init__(self):
        self.now, self.set = 3, []

    def get_num_threads(self):
        return self.now

    def set_num_threads(self, count):
        self.now = count
        self.set.append(count)


@pytest.fixture
def library(monkeypatch):
    found = Library()
    monkeypatch.setattr(threads, "_numpy_s_blas", lambda: found)
    monkeypatch.setattr(blas, "library", lambda: None)
    return found


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("size, changes", [(60, []), (64, [1, 3]), (400, [1, 3]), (410, [])])
def test_products_of_middle_size_take_one_thread(size, changes, accumulate, library, backend):
    a = np.ones((size, size), np.float32)
    blas.gemm(a, a, out := np.ones_like(a), backend.scratch, accumulate=accumulate)
    assert library.set == changes and (out == size + accumulate).all()


def test_a_product_that_fails_leaves_the_threads_as_they_were(library, backend):
    with pytest.raises(ValueError):
        blas.gemm(np.ones((99, 99), np.float32), np.ones((98, 99), np.float32),
                  np.ones((99, 99), np.float32), backend.scratch)
    assert library.set == [1, 3]


def test_threads_of_python_may_overlap(library):
    inside, leave = threading.Event(), threading.Event()

    def run():
        with threads.one_thread:
            inside.set()
            leave.wait()

    other = threading.Thread(target=run)
    other.start()
    inside.wait()
    with threads.one_thread:
        pass
    assert library.now == 1
    leave.set()
    other.join()
    assert library.set == [1, 3]


def test_it_works_without_threadpoolctl(monkeypatch, backend):
    monkeypatch.setattr(threads, "_numpy_s_blas", lambda: None)
    with threads.one_thread:
        pass


def test_numpy_s_library_is_found_where_it_has_one():
    found = threads._numpy_s_blas()
    if found is not None:
        before = found.get_num_threads()
        with threads.one_thread:
            assert found.get_num_threads() == 1
        assert found.get_num_threads() == before
