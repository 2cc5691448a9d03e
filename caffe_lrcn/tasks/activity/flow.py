"""Optical flow as pictures, and the methods that compute it."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...backends import Backend
from ...errors import DataError
from ...hints import install
from .brox import brox_flow

#: Grey level of no motion.
STILL = 128


@dataclass(frozen=True)
class FlowMethod:
    """A named way to compute flow: two (H, W) uint8 pictures to (H, W, 2) pixels, x and y."""

    name: str
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the flow from ``first`` to ``second``."""
        return self.compute(first, second)


def flow_picture(flow: np.ndarray, scale: float = 16.0) -> np.ndarray:
    """Return flow as a picture, (H, W, 3) uint8: red x, green y, blue the length.

    ``value = scale * motion + 128``, rounded, between 0 and 255.

    Args:
        flow: (H, W, 2), x to the right and y downwards, pixels.
        scale: grey levels per pixel of motion.

    Source: create_flow_images_LRCN.m of the LRCN activity scripts.
    """
    length = np.hypot(flow[..., 0], flow[..., 1])
    values = np.dstack([flow, length]) * scale + STILL
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def brox(backend: Backend) -> FlowMethod:
    """Return the paper's method, on a device."""
    xp = backend.xp

    def compute(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        with backend.device:
            return backend.download(brox_flow(first, second, xp=xp))

    return FlowMethod("brox", compute)


def opencv(name: str) -> FlowMethod:
    """Return one of OpenCV's methods: ``dis`` or ``tvl1`` (extra ``flow``).

    Raises:
        DataError: OpenCV is not installed, or has no such method.
    """
    cv2 = _import_cv2()
    if name == "dis":
        make = partial(cv2.DISOpticalFlow_create, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    elif hasattr(cv2, "optflow"):
        make = cv2.optflow.DualTVL1OpticalFlow_create
    else:
        raise DataError("this OpenCV has no TV-L1 flow",
                        remedy="Install opencv-contrib-python-headless in its place.")
    # A solver keeps memory of its own: one for each pair, since threads share the method.
    return FlowMethod(name, lambda first, second: make().calc(first, second, None))


def _import_cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise DataError("OpenCV is not installed",
                        remedy=f"{install('flow')}, or use --method brox") from error
    return cv2
