"""Running the test nets in the middle of training.

Source: Caffe's Solver (TestAll, Test).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import glog
from ..net.debug import debug_lines
from .csv_log import Mark
from .report import MeanOutputs, output_lines, read_outputs
from .signals import Action

if TYPE_CHECKING:
    from .solver import Solver


@dataclass(frozen=True)
class BeforeTest:
    """How the test nets and the CSV log were before the test that is running.

    A test that is broken off is done again after resuming, from here: a snapshot that is taken
    in its middle holds this.
    """

    states: list[dict[str, Any]]
    csv: Mark


def run_tests(solver: Solver) -> bool:
    """Run every test net of ``solver``; return False if an action stopped it."""
    before = BeforeTest([net.state() for net in solver.test_nets], solver.csv.position)
    solver.before_test = before
    try:
        for number in range(len(solver.test_nets)):
            if not _run_test(solver, number):
                glog.info("Test interrupted.")
                for net, state in zip(solver.test_nets, before.states, strict=True):
                    net.restore(state)
                solver.csv.cut(before.csv)
                return False
    finally:
        solver.before_test = None
    return True


def _run_test(solver: Solver, number: int) -> bool:
    glog.info(f"Iteration {solver.iter}, Testing net (#{number})")
    net, means = solver.test_nets[number], MeanOutputs()
    net.share_trained_layers_with(solver.net)
    with debug_lines(net, solver.param.debug_info):
        for _ in range(solver.param.test_iter[number]):
            while (action := solver.next_action()) is not Action.NONE:
                if action is Action.STOP:
                    return False
                solver.snapshot()
            loss = net.forward()
            means.add(read_outputs(net), loss)
    if solver.param.test_compute_loss:
        glog.info(f"Test loss: {means.loss:g}")
    for line in output_lines("Test", means.outputs):
        glog.info(line)
    solver.write_row(f"test {number}", means.loss, means.outputs)
    return True
