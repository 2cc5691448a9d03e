"""The stages of a net: those that its rules name, and those that the solver beside it sets."""
from __future__ import annotations

import os
from collections.abc import Iterable

from ..errors import CaffeError
from ..net.filter import named_stages
from ..paths import resolve
from ..proto import caffe_pb2
from ..proto.text import LayerDef, read_solver


def beside(path: str, layers: Iterable[LayerDef], phase: int) -> tuple[str, list[str]] | None:
    """Return the solver beside a net and the stages that it sets; None if nothing is set.

    The solver of ``x.prototxt`` is ``x_solver.prototxt`` or ``solver.prototxt`` in the same folder,
    if its ``net`` is that file. Only stages that the net's rules name count.

    Args:
        path: of the net.
        layers: of the net, whatever their rules.
        phase: TRAIN takes the solver's ``train_state``, TEST its first ``test_state``.
    """
    named = named_stages(layers)
    stem = os.path.splitext(path)[0]
    for solver in (f"{stem}_solver.prototxt", os.path.join(os.path.dirname(path),
                                                           "solver.prototxt")):
        if not named or not os.path.isfile(solver):
            continue
        try:
            param = read_solver(solver).param
        except CaffeError:  # `check` tells what is wrong with it
            continue
        net = resolve(param.net, solver)
        states = [param.train_state] if phase == caffe_pb2.TRAIN else list(param.test_state[:1])
        stages = [stage for state in states for stage in state.stage if stage in named]
        if stages and os.path.isfile(net) and os.path.samefile(net, path):
            return solver, stages
    return None
