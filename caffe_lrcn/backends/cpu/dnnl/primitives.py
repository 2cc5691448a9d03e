"""Descriptors, memories and primitives of oneDNN, as objects that free what they own.

A computation is a chain: reorder plain arrays into the layouts that the primitive prefers, run it,
reorder the result back. An ``Operand`` is one array's end of that chain. Everything is made once;
running a chain only sets pointers.
"""
from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence

import numpy as np

from ....errors import BackendError
from ...scratch import Scratch
from . import constants as c
from .loader import DnnlError, Library

_ITEM = 4  # bytes of a float32


class Handle:
    """Owns a handle of the library and destroys it with itself."""

    def __init__(self, lib: Library, value: int, destroy: str) -> None:
        self.value = value
        weakref.finalize(self, lib.call, destroy, value).atexit = False


class _ExecArg(ctypes.Structure):
    """One argument of an execution: which one, and the memory object."""

    _fields_ = [("arg", ctypes.c_int), ("memory", ctypes.c_void_p)]


def dims(values: Sequence[int]) -> ctypes.Array:
    """Return sizes as the C array that oneDNN takes."""
    return (ctypes.c_int64 * len(values))(*values)


def descriptor(lib: Library, shape: Sequence[int], tag: int) -> Handle:
    """Return the descriptor of a float32 array of a shape in a layout."""
    return Handle(lib, lib.create("dnnl_memory_desc_create_with_tag", len(shape), dims(shape),
                                  c.F32, tag), "dnnl_memory_desc_destroy")


def attributes(lib: Library, *, bf16: bool = False, add: bool = False) -> Handle:
    """Return attributes: ``bf16`` arithmetic allowed; ``add`` to the destination."""
    attr = Handle(lib, lib.create("dnnl_primitive_attr_create"), "dnnl_primitive_attr_destroy")
    if bf16:
        lib.call("dnnl_primitive_attr_set_fpmath_mode", attr.value, c.FPMATH_BF16)
    if add:
        post = Handle(lib, lib.create("dnnl_post_ops_create"), "dnnl_post_ops_destroy")
        lib.call("dnnl_post_ops_append_sum", post.value, 1.0, 0, c.UNDEFINED)
        lib.call("dnnl_primitive_attr_set_post_ops", attr.value, post.value)
    return attr


class PrimitiveDesc(Handle):
    """A primitive descriptor, made by one of the ``*_primitive_desc_create`` functions."""

    def __init__(self, lib: Library, function: str, *args: object) -> None:
        super().__init__(lib, lib.create(function, *args), "dnnl_primitive_desc_destroy")
        self._lib = lib

    def layout(self, query: int) -> int:
        """Return the descriptor of an argument (owned by self), 0 where it is not needed."""
        result = ctypes.c_void_p()
        try:
            self._lib.call("dnnl_primitive_desc_query", self.value, query, 0,
                           ctypes.addressof(result))
        except DnnlError:
            return 0
        return result.value or 0


class Memory(Handle):
    """A memory object; its data pointer is set before each run."""

    def __init__(self, lib: Library, layout: int) -> None:
        super().__init__(lib, lib.create("dnnl_memory_create", layout, lib.engine, None),
                         "dnnl_memory_destroy")
        self._lib = lib

    def bind(self, array: np.ndarray) -> None:
        """Point at an array's data.

        Raises:
            BackendError: not a C-contiguous float32 array, which a bare pointer would misread.
        """
        if not array.flags.c_contiguous or array.dtype != np.float32:
            raise BackendError("oneDNN needs C-contiguous float32 arrays",
                               got=f"{array.dtype} with strides {array.strides}")
        self._lib.call("dnnl_memory_set_data_handle", self.value, array.ctypes.data)


class Execution:
    """A primitive with its arguments, ready to run."""

    def __init__(self, lib: Library, desc: PrimitiveDesc, arguments: dict[int, Memory]) -> None:
        self._primitive = Handle(lib, lib.create("dnnl_primitive_create", desc.value),
                                 "dnnl_primitive_destroy")
        self._memories = tuple(arguments.values())  # keeps them alive
        self._arguments = (_ExecArg * len(arguments))(
            *((arg, memory.value) for arg, memory in arguments.items()))
        self._call = (lib.call, "dnnl_primitive_execute", self._primitive.value, lib.stream,
                      len(arguments), ctypes.addressof(self._arguments))

    def run(self) -> None:
        """Execute with the data that the memories point at."""
        function, *arguments = self._call
        function(*arguments)


class Operand:
    """One array of a primitive: plain outside, in the primitive's layout inside.

    Args:
        plain: descriptor of the array that callers hold.
        layout: descriptor of what the primitive takes.
        scratch: holds the array in the primitive's layout during a run, if the two differ.
        output: whether the primitive writes it.
        add: the result is added to the caller's array instead of overwriting it.
    """

    def __init__(self, lib: Library, plain: Handle, layout: int, scratch: Scratch, *,
                 output: bool = False, add: bool = False) -> None:
        self.output, self._scratch = output, scratch
        self.memory, self._reorder = Memory(lib, layout), None
        if not add and lib.ask("dnnl_memory_desc_equal", plain.value, layout):
            return
        self._size = lib.ask("dnnl_memory_desc_get_size", layout) // _ITEM
        self._outside = Memory(lib, plain.value)
        ends = [(self._outside, plain.value), (self.memory, layout)]
        (source, source_layout), (target, target_layout) = ends[::-1] if output else ends
        attr = attributes(lib, add=add)
        desc = PrimitiveDesc(lib, "dnnl_reorder_primitive_desc_create", source_layout, lib.engine,
                             target_layout, lib.engine, attr.value)
        self._reorder = Execution(lib, desc, {c.ARG_SRC: source, c.ARG_DST: target})

    def enter(self, array: np.ndarray) -> None:
        """Point at the caller's array and, for an input, bring its data in."""
        if self._reorder is None:
            self.memory.bind(array)
            return
        self._outside.bind(array)
        self.memory.bind(self._scratch.take(self._size, np.float32))
        if not self.output:
            self._reorder.run()

    def leave(self) -> None:
        """Hand an output's data over to the caller's array."""
        if self.output and self._reorder is not None:
            self._reorder.run()


class Chain:
    """A primitive with its operands: ``run(*arrays)`` in the order of ``operands``."""

    def __init__(self, lib: Library, desc: PrimitiveDesc, operands: dict[int, Operand]) -> None:
        self._operands = tuple(operands.values())
        self._execution = Execution(
            lib, desc, {arg: operand.memory for arg, operand in operands.items()})

    def run(self, *arrays: np.ndarray) -> None:
        """Bring the inputs in, execute, hand the outputs over."""
        for operand, array in zip(self._operands, arrays, strict=True):
            operand.enter(array)
        self._execution.run()
        for operand in self._operands:
            operand.leave()
