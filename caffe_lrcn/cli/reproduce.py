"""``caffe-lrcn reproduce``: the paper's tables on generated data, with several seeds."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import runtime

if TYPE_CHECKING:
    from ..tasks.reproduction.activity import ActivityStudy
    from ..tasks.reproduction.description import DescriptionStudy

_GROUPS = {"activity": 96, "description": 25}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("task", choices=tuple(_GROUPS),
                        help="activity: section 4, Table 1, on the clips of demo-activity; "
                             "description: section 6, Table 9, on clips of data toy-roles")
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="folder of runs, tables and page (out/reproduce-TASK)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N",
                        help="train each net so often (%(default)s)")
    parser.add_argument("--groups", type=int, metavar="N",
                        help="activity: generate so many clips of each class (96); description: "
                             "so many kitchens (25)")
    parser.add_argument("--iterations", type=int, metavar="N",
                        help="train each net so long (activity: as its solver says; description: "
                             "600, and architecture (a) five times as long)")
    parser.add_argument("--only-tables", action="store_true",
                        help="run nothing; show what is done")


def run(args: argparse.Namespace) -> int:
    """Do the runs that are left, print the tables and write the page; return the exit code."""
    if args.seeds < 1:
        raise UsageError("--seeds must be positive", got=args.seeds)
    if args.iterations is not None and args.iterations < 1:
        raise UsageError("--iterations must be positive", got=args.iterations)
    from .. import glog
    from ..tasks.reproduction.study import do_runs, read_runs
    groups = _GROUPS[args.task] if args.groups is None else args.groups
    out = args.out or Path(f"out/reproduce-{args.task}")
    open_study = _activity if args.task == "activity" else _description
    glog.start(brief=True)
    study = open_study(args, out, groups)
    runs = study.runs()
    done = read_runs(runs, out) if args.only_tables else do_runs(runs, out, runtime.report)
    found = study.findings(done)
    print(found.text())
    print(found.write(out))
    return 0


def _activity(args: argparse.Namespace, out: Path, groups: int) -> ActivityStudy:
    """Return the study, after its data are made."""
    from ..layer_types.base import Settings
    from ..solver.console import Console
    from ..tasks.reproduction.activity import ActivityStudy
    from ..tasks.toy_actions.demo import Demo, check_groups
    check_groups(groups)
    if not args.only_tables:
        Demo(out, groups).make_data()
    return ActivityStudy(out, args.seeds, Settings(workers=runtime.default_workers()),
                         Console(sys.stderr, short=True), args.iterations)


def _description(args: argparse.Namespace, out: Path, groups: int) -> DescriptionStudy:
    """Return the study, after its data are made."""
    from ..layer_types.base import Settings
    from ..solver.console import Console
    from ..tasks.reproduction.description import ITERATIONS, DescriptionStudy
    from ..tasks.toy_roles.demo import Size
    size = Size(groups)
    size.extent.check()
    study = DescriptionStudy(out, args.seeds, Settings(workers=runtime.default_workers()),
                             Console(sys.stderr, short=True), args.iterations or ITERATIONS, size)
    if not args.only_tables:
        study.make_data(runtime.report)
    return study
