"""oneDNN through ctypes; nothing outside this package knows its interface.

``loader``      finding and loading; ``library()`` is None where it cannot be used
``constants``   the values of its enumerations
``primitives``  memories, reorders and primitives as Python objects
``gemm``, ``conv``  the ops, float32 only
"""
from .loader import DnnlError, Library, library

__all__ = ["DnnlError", "Library", "library"]
