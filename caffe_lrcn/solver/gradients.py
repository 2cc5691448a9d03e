"""What happens to gradients between the backward pass and the update rule.

In this order, as in Caffe: clip over all parameters, then for each one divide by iter_size and add
the weight decay. Source: Caffe's SGDSolver (ClipGradients, Normalize, Regularize).
"""
from __future__ import annotations

import math
from collections.abc import Sequence

from .. import glog
from ..backends import Backend
from ..blob import Blob

REGULARIZATIONS = ("L2", "L1")


def clip(backend: Backend, blobs: Sequence[Blob], limit: float) -> None:
    """Scale all gradients by ``limit / norm`` where their common L2 norm exceeds ``limit``.

    A negative limit does nothing.
    """
    # CAFFE-QUIRK: the norm is that of the sum over iter_size passes, before weight decay; a limit
    # of 0 wipes out every gradient.
    if limit < 0 or not blobs:
        return
    squares = [backend.update.sum_of_squares(blob.diff) for blob in blobs]
    norm = math.sqrt(float(sum(squares[1:], squares[0])))
    if norm <= limit:
        return
    factor = limit / norm
    glog.info(f"Gradient clipping: scaling down gradients (L2 norm {norm:g} > {limit:g}) "
             f"by scale factor {factor:g}")
    for blob in blobs:
        backend.update.scale(blob.diff, factor)


def normalise(backend: Backend, blob: Blob, iter_size: int) -> None:
    """Turn a gradient summed over ``iter_size`` passes into their mean."""
    if iter_size != 1:
        backend.update.scale(blob.diff, 1 / iter_size)


def regularise(backend: Backend, blob: Blob, kind: str, decay: float) -> None:
    """Add the gradient of the weight decay: ``decay · w`` (L2) or ``decay · sign(w)`` (L1)."""
    if decay:
        add = backend.update.l2 if kind == "L2" else backend.update.l1
        add(blob.diff, blob.data, decay)
