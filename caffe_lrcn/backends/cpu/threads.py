"""How many threads the CPU ops use."""
from __future__ import annotations

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
