"""``caffe-lrcn reproduce``: the paper's tables on generated data, with several seeds."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import UsageError
from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("task", choices=("activity",),
                        help="activity: section 4, Table 1, on the clips of demo-activity")
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="folder of runs, tables and page (out/reproduce-TASK)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N",
                        help="train each net so often (%(default)s)")
    parser.add_argument("--groups", type=int, default=96, metavar="N",
                        help="generate so many clips of each class (%(default)s)")
    parser.add_argument("--iterations", type=int, metavar="N",
                        help="train each net so long (as its solver says)")
    parser.add_argument("--only-tables", action="store_true",
                        help="run nothing; show what is done")


def run(args: argparse.Namespace) -> int:
    """Do the runs that are left, print the tables and write the page; return the exit code."""
    if args.seeds < 1:
        raise UsageError("--seeds must be positive", got=args.seeds)
    if args.iterations is not None and args.iterations < 1:
        raise UsageError("--iterations must be positive", got=args.iterations)
    from .. import glog
    from ..layer_types.base import Settings
    from ..solver.console import Console
    from ..tasks.reproduction.activity import ActivityStudy
    from ..tasks.reproduction.study import do_runs, read_runs
    from ..tasks.toy_actions.demo import Demo, check_groups
    check_groups(args.groups)
    glog.start(brief=True)
    out = args.out or Path(f"out/reproduce-{args.task}")
    study = ActivityStudy(out, args.seeds, Settings(workers=runtime.default_workers()),
                          Console(sys.stderr, short=True), args.iterations)
    if not args.only_tables:
        Demo(out, args.groups).make_data()
    runs = study.runs()
    done = read_runs(runs, out) if args.only_tables else do_runs(runs, out, runtime.report)
    found = study.findings(done)
    print(found.text())
    print(found.write(out))
    return 0
