"""Which device a solver runs on if nobody hands it a backend."""
from __future__ import annotations

from .. import glog
from ..proto.caffe_pb2 import SolverParameter
from .cuda.device import first_usable_gpu


def device_for(param: SolverParameter) -> str:
    """Return ``cpu`` or ``gpu:N`` as solver_mode and device_id say.

    Without a solver_mode it is the first usable GPU, and the CPU where there is none.
    """
    if param.HasField("solver_mode"):
        return f"gpu:{param.device_id}" if param.solver_mode == SolverParameter.GPU else "cpu"
    return automatic_device()


def automatic_device() -> str:
    """Return the first usable GPU, or ``cpu``."""
    number = first_usable_gpu()
    return "cpu" if number is None else f"gpu:{number}"


def announce(device: str) -> None:
    """Log which device is used, in Caffe's words."""
    glog.info("Use CPU." if device == "cpu" else f"Using GPUs {device.removeprefix('gpu:')}")
