"""What holds for the calling thread: device, seed, ranks; also the log and a timer.

Source: pycaffe's module-level functions, Caffe's common.cpp.
"""
from __future__ import annotations

import threading
import time

import numpy as np

from .. import glog as _log
from ..backends import Backend, get_backend
from ..errors import UsageError
from ..layer_types import TYPES
from ..rng import fresh_seed

_ERRORS_ONLY = 2


class _Modes(threading.local):
    use_gpu: bool = False
    device_id: int = 0
    seed: int | None = None
    solver_count: int = 1
    solver_rank: int = 0
    multiprocess: bool = False


_modes = _Modes()


def set_mode_cpu() -> None:
    """Build nets and solvers on the CPU from now on (in this thread; the default)."""
    _modes.use_gpu = False


def set_mode_gpu() -> None:
    """Build nets and solvers on the GPU chosen by ``set_device`` (default 0) from now on."""
    _modes.use_gpu = True


def set_device(device_id: int) -> None:
    """Choose the GPU that ``set_mode_gpu`` uses.

    Raises:
        UsageError: this is not the number of a GPU.
    """
    if not isinstance(device_id, (int, np.integer)) or device_id < 0:
        raise UsageError("set_device takes the number of one GPU", got=device_id,
                         wanted="0, 1, …")
    _modes.device_id = int(device_id)


def set_random_seed(seed: int) -> None:
    """Seed the random numbers of the nets that are built from now on (in this thread)."""
    _modes.seed = int(seed)


def current_backend() -> Backend:
    """Return the backend of this thread's mode.

    Raises:
        BackendError: the mode is GPU, and there is none.
    """
    return get_backend(f"gpu:{_modes.device_id}" if _modes.use_gpu else "cpu",
                       without_gpu="call caffe.set_mode_cpu()")


def given_seed() -> int | None:
    """Return the seed of ``set_random_seed``, or None."""
    return _modes.seed


def current_seed() -> int:
    """Return the seed of ``set_random_seed``, or a drawn one."""
    return fresh_seed() if _modes.seed is None else _modes.seed


def solver_count() -> int:
    """Return what ``set_solver_count`` set; 1 at first."""
    return _modes.solver_count


def set_solver_count(count: int) -> None:
    """Note a number of solvers. One trains per process here, whatever it is."""
    _modes.solver_count = int(count)


def solver_rank() -> int:
    """Return what ``set_solver_rank`` set; 0 at first."""
    return _modes.solver_rank


def set_solver_rank(rank: int) -> None:
    """Note this process's number among several solvers."""
    _modes.solver_rank = int(rank)


def set_multiprocess(multiprocess: bool) -> None:
    """Note whether solvers run in several processes."""
    _modes.multiprocess = bool(multiprocess)


def has_nccl() -> bool:
    """Tell whether training on several GPUs is possible: it is not."""
    return False


def layer_type_list() -> list[str]:
    """Return the names of all layer types."""
    return sorted(TYPES)


def init_log(level: int = 0, to_stderr: bool = True) -> None:
    """Begin to show log lines, such as the loss while a solver trains.

    Args:
        level: 0 shows everything, 1 warnings and errors, 2 errors.
        to_stderr: False shows errors only.

    Raises:
        UsageError: an unknown level.
    """
    _log.start(min_level=level if to_stderr else max(level, _ERRORS_ONLY))


def log(text: str) -> None:
    """Write a line to the log."""
    _log.info("%s", text)


class Timer:
    """A stopwatch: ``start()``, ``stop()``, then ``ms``."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._seconds = 0.0

    def start(self) -> None:
        """Start anew."""
        self._started = time.perf_counter()

    def stop(self) -> None:
        """Stop; without effect if it does not run."""
        if self._started is not None:
            self._seconds = time.perf_counter() - self._started
            self._started = None

    @property
    def ms(self) -> float:
        """Milliseconds between the last start and stop; stops the timer if it runs."""
        self.stop()
        return self._seconds * 1e3
