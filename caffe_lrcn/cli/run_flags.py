"""Flags of ``train`` about where a run's files go, and which of them stay."""
from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import runtime

if TYPE_CHECKING:
    from ..proto.text import SolverDef
    from ..solver.solver import Solver


#: The value of ``--snapshot`` that begins a run where there is nothing to go on from.
AUTO = "auto"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--run", metavar="NAME",
                        help="keep all files of this run in runs/NAME: the definitions as used, "
                             "logs, charts, snapshots")
    parser.add_argument("--force", action="store_true",
                        help="begin anew although there are snapshots with this snapshot_prefix: "
                             "they are replaced")
    parser.add_argument("--keep", type=partial(runtime.at_least, 1), metavar="N",
                        help="keep the last N snapshots, remove older ones (all are kept)")
    parser.add_argument("--keep-best", metavar="NAME",
                        help="take a snapshot whenever this test output is better than ever, and "
                             "keep the best; NAME:max or NAME:min says which is better if the "
                             "name does not")


def enter_run(args: argparse.Namespace, definition: SolverDef) -> None:
    """Let a solver write to the folder of ``--run``."""
    from ..solver.run_folder import enter_run
    if args.weights is not None and args.snapshot not in (None, AUTO):
        raise UsageError("--weights and --snapshot exclude each other",
                         remedy="A snapshot brings its own weights; --snapshot auto takes "
                                "--weights where there is no snapshot yet")
    if args.force and args.snapshot is not None:
        raise UsageError("--force begins anew, and --snapshot goes on")
    if args.run is not None:
        enter_run(args.run, definition)


def draw_run(args: argparse.Namespace, solver: Solver) -> None:
    """Draw the CSV log of ``--run NAME`` as ``plot`` does, to ``NAME.svg`` in the run's folder."""
    if args.run is None or not Path(solver.csv.path).exists():
        return
    from ..caffe_tools.training_curves import read_run, training_charts
    from ..drawing.chart import draw_charts
    from ..drawing.render import encode, save
    charts = training_charts([read_run(solver.csv.path)])
    save(Path(solver.csv.path).with_name(f"{args.run}.svg"), encode(draw_charts(charts), "svg"))
