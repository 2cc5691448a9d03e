"""Arrays of a script as the data of a net."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from ..layer_types.memory_data import MemoryData

if TYPE_CHECKING:
    from .net import Net


def set_input_arrays(net: Net, data: np.ndarray, labels: np.ndarray) -> None:
    """Serve arrays through the net's first layer, a MemoryData. They are not copied.

    Args:
        data: (K, C, H, W), C-contiguous float32; K is a multiple of the batch size.
        labels: (K,) or (K, 1, 1, 1), C-contiguous float32.

    Raises:
        UsageError: the first layer is another one, or the arrays are of another kind.
        DataError: the shapes do not fit.

    Source: pycaffe.py.
    """
    layer = net._engine.layers[0]
    if not isinstance(layer, MemoryData):
        raise UsageError("set_input_arrays needs a net whose first layer is a MemoryData",
                         layer=layer.name, got=layer.type)
    for what, array in (("data", data), ("labels", labels)):
        if not isinstance(array, np.ndarray):
            raise UsageError(f"set_input_arrays takes {what} as a NumPy array",
                             got=type(array).__name__)
    if labels.ndim == 1:
        labels = labels[:, np.newaxis, np.newaxis, np.newaxis]
    for what, array in (("data", data), ("labels", labels)):
        if array.ndim != 4 or array.dtype != np.float32 or not array.flags.c_contiguous:
            raise UsageError(f"set_input_arrays cannot take these {what}",
                             got=f"{array.dtype} of shape {array.shape}",
                             wanted="C-contiguous float32 with four axes",
                             remedy="Use numpy.ascontiguousarray(…, numpy.float32).")
    layer.reset(data, labels)
