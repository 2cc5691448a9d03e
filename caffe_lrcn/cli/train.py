"""``caffe-lrcn train``: trains a net as a solver definition says, or goes on from a snapshot."""
from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from ..caffe_tools.program import split_list, start_log
from ..errors import UsageError
from . import run_flags, runtime, train_flags

if TYPE_CHECKING:
    from ..proto.text import SolverDef
    from ..solver.solver import Solver
    from ..solver.training import Start

_EFFECTS = ("stop", "snapshot", "none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--solver", required=True, metavar="FILE", help="the solver definition")
    parser.add_argument("--weights", metavar="A,B",
                        help="weights to start from, copied by layer name")
    parser.add_argument("--snapshot", metavar="FILE",
                        help="go on from this .solverstate; 'latest': from the furthest one of "
                             "snapshot_prefix; 'auto': likewise, or begin (with --weights, if they "
                             "are given) if there is none; or another prefix")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="replace a field of the solver definition, or of layers by name: "
                             "base_lr=0.1, layer.data.batch_size=3; may be repeated")
    runtime.add_device_flags(parser)
    runtime.add_net_flags(parser)
    parser.add_argument("--sigint_effect", choices=_EFFECTS, default="stop",
                        help="what Ctrl-C does after the current iteration")
    parser.add_argument("--sighup_effect", choices=_EFFECTS, default="snapshot",
                        help="what SIGHUP does after the current iteration")
    run_flags.add_arguments(parser)
    train_flags.add_arguments(parser)
    runtime.add_verbose_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Train; return the exit code."""
    start_log(args, brief=not runtime.is_verbose(args))
    from ..layer_types.base import Settings
    from ..paths import resolve
    from ..proto.text import read_solver
    from ..solver.signals import Action, SignalActions
    from ..solver.training import train
    from ..tasks.toy.embedded import Embedded
    from .overrides import apply_overrides
    definition = read_solver(resolve(args.solver))
    with SignalActions(Action(args.sigint_effect), Action(args.sighup_effect)) as actions:
        deadline = train_flags.deadline(args, actions)
        apply_overrides(definition, args.set)
        run_flags.enter_run(args, definition)
        train_flags.open_log(args, definition)
        watch = train_flags.watch(args, definition)
        start = _start(args, definition)
        if args.dry_run:
            return train_flags.dry_run(args, definition, start)
        Embedded(settings=Settings(workers=args.workers),
                 console=watch.console).make_missing(definition)
        solver = train(definition, runtime.open_backend(args, definition.param), start, deadline,
                       settings=train_flags.settings(args), level=args.level,
                       stages=runtime.stages(args), watch=watch)
    run_flags.draw_run(args, solver)
    if solver.stopped_early:
        print(_how_to_resume(args, solver))
    return train_flags.TIME_IS_OVER if solver.stopped_early and deadline.passed else 0


def _start(args: argparse.Namespace, definition: SolverDef) -> Start:
    """Return the snapshot of ``--snapshot``, or the start, with the weights of ``--weights``."""
    from ..solver.training import Start, resume_from
    start = Start(transfer=train_flags.transfer(args), force=args.force)
    if args.snapshot is not None:
        start = resume_from(args.snapshot, definition, start)
    if args.weights is not None and not start.state:
        definition.param.ClearField("weights")
        definition.param.weights.extend(split_list(args.weights))
        if not definition.param.weights:
            raise UsageError("--weights names no file")
    return start


def _how_to_resume(args: argparse.Namespace, solver: Solver) -> str:
    if not solver.last_snapshot:
        return f"Stopped at iteration {solver.iter}; no snapshot was taken."
    words = ["caffe-lrcn", "train", "--solver", args.solver, "--snapshot", solver.last_snapshot]
    for flag in ("set", "freeze"):
        for value in getattr(args, flag):
            words += [f"--{flag}", value]
    if args.workers != runtime.default_workers():
        words += ["--workers", str(args.workers)]
    for flag in ("gpu", "level", "stage", "threads"):
        value = getattr(args, flag)
        if value:
            words += [f"--{flag}", str(value)]
    words += ["--math", args.math] if args.math != "fp32" else []
    for flag in ("patience", "monitor", "max_time", "tensorboard", "run", "keep", "keep_best"):
        if getattr(args, flag) is not None:
            words += [f"--{flag.replace('_', '-')}", str(getattr(args, flag))]
    words += [f"--{flag}" for flag in ("cpu", "strict", "verbose") if getattr(args, flag)]
    return f"Stopped at iteration {solver.iter}. To go on:\n    {shlex.join(words)}"
