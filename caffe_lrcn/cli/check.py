"""``caffe-lrcn check``: every problem of definitions, without data or weights."""
from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import runtime

if TYPE_CHECKING:
    from ..inspection.check import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="net definitions, or solvers, whose nets are checked as well")
    parser.add_argument("--stage", default="", metavar="A,B",
                        help="stages to set, with commas between, beside those of a solver")
    add_shape_flag(parser)
    runtime.add_set_flag(parser)
    parser.add_argument("--quiet", action="store_true", help="leave out notes")


def add_shape_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--shape``."""
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=1,3,227,227",
                        help="shape of a blob that data or a caller give; may be repeated")


def run(args: argparse.Namespace) -> int:
    """Check the files; return 1 if one has an error."""
    from ..inspection.check import check_file
    from ..inspection.look import parse_shapes
    from ..paths import resolve
    from .overrides import only_layer_changes
    shapes, changes = parse_shapes(args.shape), only_layer_changes(args.set)
    files = [resolve(file) for file in args.files]
    reports = [check_file(file, runtime.stages(args), shapes, changes) for file in files]
    # A net that a solver names is checked with the solver's stages, not also without.
    covered = {net for report in reports for net in report.nets}
    errors = sum(_show(report, args.quiet) for report in reports if report.file not in covered)
    for change in changes:
        change.finish()
    return 1 if errors else 0


def _show(report: Report, quiet: bool) -> int:
    """Print a report; return the number of errors."""
    from ..inspection.problems import ERROR, NOTE, WARNING
    for problem in report.problems:
        if not (quiet and problem.severity == NOTE):
            print(problem.line(report.variants))
    counts = {kind: sum(problem.severity == kind for problem in report.problems)
              for kind in (ERROR, WARNING)}
    found = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items() if count]
    checked = "; ".join(report.variants) or "not looked at further"
    print(f"{report.file}: {', '.join(found) or 'no problems'} ({checked})")
    return counts[ERROR]
