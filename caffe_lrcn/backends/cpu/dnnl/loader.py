"""Finding and loading the oneDNN library that the ``onednn-cpu-gomp`` wheel installs.

Nothing is loaded when this module is imported; ``library()`` loads on first use, once a process.
``CAFFE_LRCN_DNNL=0`` switches oneDNN off.
"""
from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import os
from pathlib import Path

from .... import glog
from . import constants as c

DISTRIBUTION = "onednn-cpu-gomp"
SWITCH = "CAFFE_LRCN_DNNL"
_HANDLE, _INT, _INT64, _FLOAT = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_float
_DIMS = ctypes.POINTER(ctypes.c_int64)
_OUT = ctypes.POINTER(ctypes.c_void_p)
_GEOMETRY = [_DIMS] * 4  # strides, dilations, padding before, padding behind

# The functions that we call and that return a status, with their arguments.
_PROTOTYPES = {
    "dnnl_engine_create": [_OUT, _INT, ctypes.c_size_t],
    "dnnl_stream_create": [_OUT, _HANDLE, ctypes.c_uint],
    "dnnl_memory_desc_create_with_tag": [_OUT, _INT, _DIMS, _INT, _INT],
    "dnnl_memory_desc_destroy": [_HANDLE],
    "dnnl_memory_create": [_OUT, _HANDLE, _HANDLE, _HANDLE],
    "dnnl_memory_set_data_handle": [_HANDLE, _HANDLE],
    "dnnl_memory_destroy": [_HANDLE],
    "dnnl_primitive_attr_create": [_OUT],
    "dnnl_primitive_attr_destroy": [_HANDLE],
    "dnnl_primitive_attr_set_fpmath_mode": [_HANDLE, _INT],
    "dnnl_primitive_attr_set_post_ops": [_HANDLE, _HANDLE],
    "dnnl_post_ops_create": [_OUT],
    "dnnl_post_ops_destroy": [_HANDLE],
    "dnnl_post_ops_append_sum": [_HANDLE, _FLOAT, ctypes.c_int32, _INT],
    "dnnl_primitive_desc_destroy": [_HANDLE],
    "dnnl_primitive_desc_query": [_HANDLE, _INT, _INT, _HANDLE],
    "dnnl_primitive_create": [_OUT, _HANDLE],
    "dnnl_primitive_destroy": [_HANDLE],
    "dnnl_primitive_execute": [_HANDLE, _HANDLE, _INT, _HANDLE],
    "dnnl_reorder_primitive_desc_create": [_OUT, _HANDLE, _HANDLE, _HANDLE, _HANDLE, _HANDLE],
    "dnnl_convolution_forward_primitive_desc_create":
        [_OUT, _HANDLE, _INT, _INT, *[_HANDLE] * 4, *_GEOMETRY, _HANDLE],
    "dnnl_convolution_backward_data_primitive_desc_create":
        [_OUT, _HANDLE, _INT, *[_HANDLE] * 3, *_GEOMETRY, _HANDLE, _HANDLE],
    "dnnl_convolution_backward_weights_primitive_desc_create":
        [_OUT, _HANDLE, _INT, *[_HANDLE] * 4, *_GEOMETRY, _HANDLE, _HANDLE],
    "dnnl_sgemm": [ctypes.c_char, ctypes.c_char, _INT64, _INT64, _INT64, _FLOAT, _HANDLE, _INT64,
                   _HANDLE, _INT64, _FLOAT, _HANDLE, _INT64],
}
# Those that return their result instead of a status.
_PURE = {
    "dnnl_memory_desc_get_size": ([_HANDLE], ctypes.c_size_t),
    "dnnl_memory_desc_equal": ([_HANDLE, _HANDLE], _INT),
}


class DnnlError(Exception):
    """oneDNN refused a call; ``status`` is its code. Callers fall back to plain NumPy."""

    def __init__(self, function: str, status: int) -> None:
        super().__init__(f"{function} returned status {status}")
        self.status = status


class Library:
    """The loaded library with one engine and one stream.

    ``call(name, *args)`` runs a function and raises ``DnnlError`` on a bad status;
    ``create(name, *args)`` also returns the handle that the function hands out.
    """

    def __init__(self, path: Path) -> None:
        # libgomp reads these when it is loaded. Its threads otherwise spin between calls, which
        # slows a step many times over as soon as another process wants the cores.
        if "OMP_WAIT_POLICY" not in os.environ:
            os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
            os.environ.setdefault("GOMP_SPINCOUNT", "0")
        self._openmp = ctypes.CDLL("libgomp.so.1")
        dnnl = ctypes.CDLL(str(path))
        self._functions = {name: getattr(dnnl, name) for name in _PROTOTYPES}
        for name, arguments in _PROTOTYPES.items():
            self._functions[name].argtypes, self._functions[name].restype = arguments, _INT
        self._pure = {name: getattr(dnnl, name) for name in _PURE}
        for name, (arguments, result) in _PURE.items():
            self._pure[name].argtypes, self._pure[name].restype = arguments, result
        self.engine = self.create("dnnl_engine_create", c.ENGINE_CPU, 0)
        self.stream = self.create("dnnl_stream_create", self.engine, c.STREAM_DEFAULT)

    def call(self, name: str, *args: object) -> None:
        """Run a function of the library."""
        status = self._functions[name](*args)
        if status != c.SUCCESS:
            raise DnnlError(name, status)

    def create(self, name: str, *args: object) -> int:
        """Run a function that writes a handle to its first argument, and return the handle."""
        handle = ctypes.c_void_p()
        self.call(name, ctypes.byref(handle), *args)
        return handle.value or 0

    def ask(self, name: str, *args: object) -> int:
        """Run a function that returns its result."""
        return self._pure[name](*args)

    def set_threads(self, count: int) -> None:
        """Set the number of threads of later calls from this thread."""
        self._openmp.omp_set_num_threads(count)

    def threads(self) -> int:
        """Return the number of threads that calls from this thread use."""
        return self._openmp.omp_get_max_threads()


@functools.lru_cache(maxsize=1)
def library() -> Library | None:
    """Return oneDNN, or None (after one warning that says why) where it cannot be used."""
    if os.environ.get(SWITCH) == "0":
        glog.warning("oneDNN is off (%s=0): the CPU runs plain NumPy", SWITCH)
        return None
    try:
        return Library(find())
    except (OSError, AttributeError, DnnlError, importlib.metadata.PackageNotFoundError) as error:
        glog.warning("oneDNN cannot be loaded (%s: %s): the CPU runs plain NumPy, which is slower",
                     type(error).__name__, error)
        return None


def find() -> Path:
    """Return the library file among those that the wheel installed.

    The wheel has it under three names, each a whole copy, since a wheel cannot hold links. One of
    them is loaded; the others may be deleted.

    Raises:
        PackageNotFoundError: the wheel is not installed.
        FileNotFoundError: it holds no library (another platform).
    """
    for file in importlib.metadata.files(DISTRIBUTION) or ():
        path = Path(str(file.locate())).resolve()
        if path.name.startswith("libdnnl.so") and path.exists():
            return path
    raise FileNotFoundError(f"no libdnnl.so among the files of {DISTRIBUTION}")
