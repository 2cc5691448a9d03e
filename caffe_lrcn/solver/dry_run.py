"""A training that is tried out: all nets are built, one batch goes through each of them.

Nothing is written: no log, no snapshot, no file of an HDF5Output layer.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from ..backends import Backend
from ..backends.scalars import NOT_FINITE
from ..blob import Blob
from ..layer_types.base import Settings
from ..net.net import Net
from ..proto.text import NetDef, SolverDef
from . import checkpoint
from .checks import check_solver
from .divergence import diverged
from .nets import build_nets, choose_seed, load_weights, read_named_net, with_state
from .report import counted, output_lines, read_outputs
from .step import EagerStep
from .training import Start
from .updates import find_rule

_WRITES = "HDF5Output"
_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def dry_run(definition: SolverDef, backend: Backend, start: Start, *,
            settings: Settings | None = None, level: int = 0,
            stages: Sequence[str] = ()) -> list[str]:
    """Run one training step and one pass of each test net; return what is to be said about them.

    Args:
        definition, backend, start, settings, level, stages: as for ``training.train``.

    Raises:
        DivergedError: the loss is not finite.
        CaffeError: whatever would end the training before its second iteration.
    """
    definition = with_state(definition, level, stages)
    param = definition.param
    check_solver(param, definition.place)
    seed = choose_seed(param) if start.seed is None else start.seed
    with ExitStack() as stack:
        net, tests = build_nets(definition, backend, seed, settings or Settings(), _read)
        for each in (net, *tests):
            stack.callback(each.close)
        step = EagerStep(net, param, find_rule(param, definition.place))
        reports = load_weights(definition, net, tests, start.transfer)
        if start.state:
            checkpoint.restore(start.state, param.snapshot_prefix, net, net.arena.history,
                               len(tests))
        stack.enter_context(np.errstate(over="ignore", invalid="ignore", divide="ignore"))
        lines = [line for report in reports for line in report.lines()]
        for number, test in enumerate(tests):
            test.share_trained_layers_with(net)
            lines += _told(f"test net {number}", test, test.forward(), "Test")
        net.clear_param_diffs()
        reading = step.gradients()
        net.check_status(reading.status)
        if reading.status & NOT_FINITE:
            raise diverged(net, 0, f"the loss is {reading.loss}", None)
        lines += _told("train net", net, reading.loss / param.iter_size, "Train")
        norm = math.sqrt(sum(float(np.square(blob.read_diff(), dtype=np.float64).sum())
                             for blob in net.learnable_params))
        lines.append(f"gradient: L2 norm {norm:.4g}, over "
                     f"{counted(param.iter_size, 'batch', 'es')}")
        return lines + _memory_lines(net, tests)


def _read(solver: SolverDef, *path: str | int) -> NetDef:
    """Return a net of the solver without the layers that write files."""
    net = read_named_net(solver, *path)
    return replace(net, layers=[layer for layer in net.layers if layer.param.type != _WRITES])


def _told(name: str, net: Net, loss: float, kind: str) -> list[str]:
    count = sum(blob.count for blob in net.learnable_params)
    lines = [f"{name}: {counted(len(net.layers), 'layer')}, {count:,} parameters, "
             f"loss {loss:.4g}"]
    outputs = read_outputs(net)
    return lines + (output_lines(kind, outputs) if len(outputs) <= 10 else [])


def _memory_lines(net: Net, tests: Sequence[Net]) -> list[str]:
    size = net.backend.dtype.itemsize
    parameters = size * sum(blob.count for blob in net.learnable_params)
    history = size * sum(blob.count for blob in net.arena.history)
    lines = [f"memory: {_bytes(parameters)} parameters, {_bytes(parameters)} gradients, "
             f"{_bytes(history)} history of the solver",
             f"    blobs of the train net {_bytes(_activations([net]))}"]
    if tests:
        lines.append(f"    blobs of the test nets {_bytes(_activations(tests))}")
    whole = _whole_process()
    if whole:
        lines.append(f"    the whole process {_bytes(whole)} at its peak, the libraries and what "
                     "layers keep included")
    if net.backend.is_gpu:
        used = net.backend.xp.get_default_memory_pool().total_bytes()
        lines.append(f"    on the GPU {_bytes(used)}")
    return lines


def _activations(nets: Iterable[Net]) -> int:
    """Return the bytes of all blobs between layers, gradients included; shared ones once."""
    buffers = {id(buffer): buffer.array.nbytes for net in nets
               for blob in _between_layers(net) for buffer in blob.buffers()}
    return sum(buffers.values())


def _between_layers(net: Net) -> Iterator[Blob]:
    for node in net.nodes:
        yield from node.top


def _whole_process() -> int | None:
    """Return the most memory that the process ever had, in bytes, where the system tells it."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _bytes(count: float) -> str:
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.3g} {_UNITS[unit]}"
