"""Flags of ``train`` about weights to start from, what is shown and kept, and early ends."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..caffe_tools.program import start_log
from ..errors import UsageError
from . import run_flags, runtime

if TYPE_CHECKING:
    from ..layer_types.base import Settings
    from ..net.transfer import Transfer
    from ..proto.text import SolverDef
    from ..solver.deadline import Deadline
    from ..solver.signals import Action
    from ..solver.training import Start, Watch

#: The exit code of a training that ``--max-time`` ended before its last iteration.
TIME_IS_OVER = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--dry-run", action="store_true",
                        help="build all nets, run one batch through each, say how much memory "
                             "they take, and write nothing")
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW",
                        help="give a layer of --weights another name, or several: 'vgg_*=*'; may "
                             "be repeated")
    parser.add_argument("--ignore-mismatch", action="store_true",
                        help="leave out layers of --weights whose parameters have other shapes")
    parser.add_argument("--freeze", action="append", default=[], metavar="PATTERN",
                        help="learn nothing in these layers, such as 'conv*' (lr_mult: 0); may be "
                             "repeated")
    parser.add_argument("--patience", type=int, metavar="N",
                        help="stop after N tests in a row that did not get better")
    parser.add_argument("--monitor", metavar="NAME",
                        help="the test output that --patience looks at; NAME:max or NAME:min says "
                             "which is better if the name does not")
    parser.add_argument("--max-time", metavar="TIME",
                        help="take a snapshot and stop after this time, such as 30m or 2h (exit "
                             f"code {TIME_IS_OVER})")
    parser.add_argument("--tensorboard", nargs="?", const="", metavar="DIR",
                        help="write event files for TensorBoard (to <snapshot_prefix>_tensorboard)")


def _event_folder(args: argparse.Namespace, definition: SolverDef) -> str | None:
    from ..solver.tensorboard import default_folder
    if args.tensorboard == "":
        return default_folder(definition.param.snapshot_prefix)
    return args.tensorboard


def open_log(args: argparse.Namespace, definition: SolverDef) -> None:
    """Show all lines on stderr after all if the solver asks for debug_info."""
    if definition.param.debug_info and not runtime.is_verbose(args):
        args.verbose = True
        start_log(args)


def dry_run(args: argparse.Namespace, definition: SolverDef, start: Start) -> int:
    """Try the training out; return the exit code."""
    from ..solver.dry_run import dry_run
    from ..tasks.toy.embedded import Embedded
    Embedded().check_nothing_is_missing(definition)
    backend = runtime.open_backend(args, definition.param)
    print("\n".join(dry_run(definition, backend, start, settings=settings(args),
                            level=args.level, stages=runtime.stages(args))))
    print("This was a dry run: no file was written.")
    return 0


def transfer(args: argparse.Namespace) -> Transfer:
    """Return what the flags say of how weights get into the net."""
    from ..net.transfer import Transfer, parse_renames
    given = Transfer(parse_renames(args.rename), args.ignore_mismatch)
    if args.snapshot not in (None, run_flags.AUTO) and given != Transfer():
        raise UsageError("--rename and --ignore-mismatch are about --weights, and a snapshot "
                         "brings its own")
    return given


def settings(args: argparse.Namespace) -> Settings:
    """Return the choices for the nets, with those layers that ``--freeze`` names."""
    return replace(runtime.settings(args), frozen=tuple(args.freeze))


def watch(args: argparse.Namespace, definition: SolverDef) -> Watch:
    """Return what the flags say of terminal and ends."""
    from ..solver.console import Console
    from ..solver.training import Watch
    if args.patience is not None and args.patience < 1:
        raise UsageError("--patience must be 1 or more", got=args.patience)
    if args.monitor and args.patience is None:
        raise UsageError("--monitor says what --patience looks at", remedy="Add --patience N")
    shown = not runtime.is_verbose(args) and args.minloglevel == 0
    return Watch(console=Console(sys.stderr) if shown else None, patience=args.patience,
                 monitor=args.monitor, saves_at_the_end=bool(args.max_time),
                 tensorboard=_event_folder(args, definition), run=args.run, keep=args.keep,
                 keep_best=args.keep_best)


def deadline(args: argparse.Namespace, actions: Callable[[], Action]) -> Deadline:
    """Return the source of actions with the end of ``--max-time``, if there is one."""
    from ..solver.deadline import Deadline, seconds
    return Deadline(seconds(args.max_time) if args.max_time else float("inf"), actions)
