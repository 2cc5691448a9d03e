"""``caffe-lrcn device_query``: the properties of GPUs."""
from __future__ import annotations

import argparse
from types import ModuleType
from typing import Any

from ..errors import BackendError, UsageError

# Numbers of cudaDeviceAttr for what newer CUDA left out of cudaDeviceProp.
_CLOCK_RATE, _OVERLAP, _TIMEOUT = 13, 15, 17


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--gpu", default="all", metavar="0,1",
                        help="numbers of GPUs, with commas between; 'all' is the default")


def run(args: argparse.Namespace) -> int:
    """Print the properties; return the exit code."""
    from ..backends.cuda.device import open_device
    cupy = open_device("gpu", "use --cpu")
    count = cupy.cuda.runtime.getDeviceCount()
    for number in _numbers(args.gpu, count):
        print("\n".join(f"{name + ':':<30} {value}"
                        for name, value in properties(cupy, number).items()))
    return 0


def _numbers(text: str, count: int) -> list[int]:
    if text == "all":
        return list(range(count))
    numbers = []
    for item in text.split(","):
        if not item.strip().isdecimal():
            raise UsageError("--gpu takes numbers of GPUs", got=text, wanted="0,1,… or all")
        number = int(item)
        if number >= count:
            raise BackendError(f"there is no GPU {number}", got=f"{count} usable GPU(s)",
                               wanted=f"0 to {count - 1}")
        numbers.append(number)
    return numbers


def properties(cupy: ModuleType, number: int) -> dict[str, Any]:
    """Return the properties of a GPU under the names that ``caffe device_query`` prints.

    Memory is in bytes, the clock rate in kHz.
    """
    runtime = cupy.cuda.runtime
    found = runtime.getDeviceProperties(number)

    def attribute(name: str, code: int) -> int:
        return found[name] if name in found else runtime.deviceGetAttribute(code, number)

    return {
        "Device id": number,
        "Major revision number": found["major"],
        "Minor revision number": found["minor"],
        "Name": found["name"].decode(),
        "Total global memory": found["totalGlobalMem"],
        "Total shared memory per block": found["sharedMemPerBlock"],
        "Total registers per block": found["regsPerBlock"],
        "Warp size": found["warpSize"],
        "Maximum memory pitch": found["memPitch"],
        "Maximum threads per block": found["maxThreadsPerBlock"],
        "Maximum dimension of block": ", ".join(map(str, found["maxThreadsDim"])),
        "Maximum dimension of grid": ", ".join(map(str, found["maxGridSize"])),
        "Clock rate": attribute("clockRate", _CLOCK_RATE),
        "Total constant memory": found["totalConstMem"],
        "Texture alignment": found["textureAlignment"],
        "Concurrent copy and execution": _yes_or_no(attribute("deviceOverlap", _OVERLAP)),
        "Number of multiprocessors": found["multiProcessorCount"],
        "Kernel execution timeout": _yes_or_no(attribute("kernelExecTimeoutEnabled", _TIMEOUT)),
    }


def _yes_or_no(value: int) -> str:
    return "Yes" if value else "No"
