"""How many threads the CPU ops use."""
from __future__ import annotations

import functools
import threading
from typing import Any

from .dnnl import library


def set_threads(count: int) -> None:
    """Let oneDNN and NumPy's matrix products use ``count`` threads each.

    Call it before nets are built: oneDNN divides the work of a primitive when it is made. NumPy's
    share needs threadpoolctl; without it, set OMP_NUM_THREADS before Python starts.
    """
    lib = library()
    if lib is not None:
        lib.set_threads(count)
    try:
        import threadpoolctl
    except ImportError:
        return
    threadpoolctl.threadpool_limits(count, user_api="blas")


class _OneThread:
    """A context in which NumPy's matrix products use one thread.

    The threads of OpenBLAS wait for each other. Where other programs use the cores, a product that
    takes one thread less than a millisecond takes two threads ten times as long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entered = self._before = 0

    def __enter__(self) -> None:
        blas = _numpy_s_blas()
        if blas is not None:
            with self._lock:  # the number is the whole process's, its threads come and go
                if not self._entered:
                    self._before = blas.get_num_threads()
                    blas.set_num_threads(1)
                self._entered += 1

    def __exit__(self, *_: object) -> None:
        blas = _numpy_s_blas()
        if blas is not None:
            with self._lock:
                self._entered -= 1
                if not self._entered:
                    blas.set_num_threads(self._before)


one_thread = _OneThread()


@functools.lru_cache(maxsize=1)
def _numpy_s_blas() -> Any:
    """Return threadpoolctl's control of the library that multiplies for NumPy, or None."""
    try:
        import threadpoolctl
    except ImportError:
        return None
    found = [lib for lib in threadpoolctl.ThreadpoolController().lib_controllers
             if lib.user_api == "blas"]
    return min(found, key=lambda lib: "numpy" not in lib.filepath, default=None)
