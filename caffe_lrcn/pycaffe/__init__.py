"""pycaffe's classes over the engine: what old scripts import and call.

``modes``    device, seed and ranks that hold for the thread, the log, ``Timer``
``vectors``  ``Blob`` and the list-like classes
``layer``    ``Layer``: the base of layers written in Python, and the face of all others
``net``      ``Net``; ``batches`` has its calls over many batches
``solver``   the solvers, ``get_solver``, ``NCCL``

This package alone holds a default device and seed, as pycaffe does; the engine below takes both
as arguments.
"""
from __future__ import annotations

from .layer import Layer
from .modes import (
    Timer,
    has_nccl,
    init_log,
    layer_type_list,
    log,
    set_device,
    set_mode_cpu,
    set_mode_gpu,
    set_multiprocess,
    set_random_seed,
    set_solver_count,
    set_solver_rank,
    solver_count,
    solver_rank,
)
from .net import Net
from .solver import (
    NCCL,
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    Solver,
    get_solver,
)
from .vectors import (
    Blob,
    BlobVec,
    BoolVec,
    DtypeVec,
    IntVec,
    LayerVec,
    NetVec,
    RawBlobVec,
    StringVec,
)

__all__ = [
    "NCCL", "AdaDeltaSolver", "AdaGradSolver", "AdamSolver", "Blob", "BlobVec", "BoolVec",
    "DtypeVec", "IntVec", "Layer", "LayerVec", "NesterovSolver", "Net", "NetVec", "RMSPropSolver",
    "RawBlobVec", "SGDSolver", "Solver", "StringVec", "Timer", "get_solver", "has_nccl",
    "init_log", "layer_type_list", "log", "set_device", "set_mode_cpu", "set_mode_gpu",
    "set_multiprocess", "set_random_seed", "set_solver_count", "set_solver_rank", "solver_count",
    "solver_rank",
]
