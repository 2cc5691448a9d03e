"""Flags that commands share: device, threads, data workers; and what they lead to."""
from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from ..caffe_tools.program import add_log_flags, split_list
from ..errors import UsageError
from ..printable import printable, printable_lines

if TYPE_CHECKING:
    from ..backends import Backend
    from ..layer_types.base import Settings
    from ..net.net import Net
    from ..proto.caffe_pb2 import NetState, SolverParameter
    from ..proto.text import NetDef


MATH = ("fp32", "tf32", "bf16")  # backends.MATH_MODES, which a help text must not import


def add_device_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--gpu``, ``--cpu``, ``--threads`` and ``--math``."""
    device = parser.add_mutually_exclusive_group()
    device.add_argument("--gpu", metavar="N", help="run on GPU number N")
    device.add_argument("--cpu", action="store_true", help="run on the CPU")
    parser.add_argument("--threads", type=partial(at_least, 1), metavar="N",
                        help="threads for the CPU's arithmetic (default: all cores)")
    parser.add_argument("--math", choices=MATH, default=MATH[0],
                        help="precision of large matrix products, on a CPU of convolutions only "
                             "(default fp32; tf32 needs a GPU); snapshots stay float32")


def add_verbose_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the log, and ``--verbose``, which glog calls ``--logtostderr``."""
    add_log_flags(parser)
    parser.add_argument("--verbose", action="store_true",
                        help="show all of Caffe's log lines on stderr")


def is_verbose(args: argparse.Namespace) -> bool:
    """Return whether stderr gets all lines: ``--verbose``, or what Caffe's scripts say for it."""
    from ..glog import asks_for_stderr
    asked = args.logtostderr not in (None, "0", "false")
    return args.verbose or asked or asks_for_stderr()


def default_workers() -> int:
    """Return 1 where a process can take turns with this one, else 0.

    Decoding in a thread would contend with the arithmetic for the interpreter's lock: small nets
    take a fifth to a third longer.
    """
    return int(hasattr(os, "memfd_create") and (os.cpu_count() or 1) > 1)


def add_net_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--level``, ``--stage``, ``--workers`` and ``--strict``."""
    parser.add_argument("--level", type=int, default=0, help="level of the net's state")
    parser.add_argument("--stage", default="", metavar="A,B",
                        help="stages of the net's state, with commas between")
    parser.add_argument("--workers", type=partial(at_least, 0), default=default_workers(),
                        metavar="N",
                        help="processes that prepare pictures; 0: a thread (%(default)s)")
    parser.add_argument("--strict", action="store_true",
                        help="reproduce those defects of the original that are mended by default "
                             "(docs/differences.md lists them)")


def stages(args: argparse.Namespace) -> list[str]:
    """Return the stages of ``--stage``; no empty ones."""
    return split_list(args.stage)


def settings(args: argparse.Namespace) -> Settings:
    """Return the choices of ``--workers`` and ``--strict`` for the nets."""
    from ..layer_types.base import Settings
    return Settings(strict=args.strict, workers=args.workers)


def add_picture_flags(parser: argparse._ActionsContainer) -> None:
    """Add ``--resize`` and ``--mean``, for nets that do not say what they take."""
    parser.add_argument("--resize", type=int, metavar="PIXELS",
                        help="side of the pictures before their centre is cut out (what the "
                             "pictures' net says in its Input layer, else 256/227 of its input)")
    parser.add_argument("--mean", metavar="B,G,R",
                        help="mean that is subtracted (what the pictures' net says in its Input "
                             "layer, else 104,117,123)")


def add_vocabulary_flag(parser: argparse._ActionsContainer) -> None:
    """Add ``--other-vocabulary``."""
    parser.add_argument("--other-vocabulary", action="store_true",
                        help="go on although the word ids are those of another vocabulary")


def mean(text: str | None) -> list[float] | None:
    """Return the three numbers of ``--mean``: blue, green, red; None without it."""
    if text is None:
        return None
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 3:
        raise UsageError("--mean takes three numbers: blue,green,red", got=text)
    return values


def seen_state(args: argparse.Namespace, path: str, definition: NetDef) -> NetState:
    """Return the state for looking at a net: of the flags, or else with its solver's stages.

    Without stages, those of the solver beside the net are taken, and a line on stderr says so.
    """
    from ..inspection import stages as of_nets
    from ..net.filter import make_state
    from ..proto import caffe_pb2
    phase = caffe_pb2.Phase.Value(args.phase)
    chosen = stages(args)
    if not chosen and not definition.param.state.stage:
        found = of_nets.beside(path, definition.layers, phase)
        if found is not None:
            solver, chosen = found
            print(f"note: stages {','.join(chosen)}, as {printable(solver)} sets them; --stage "
                  "takes others", file=sys.stderr)
    return make_state(phase, args.level, chosen, definition.param.state)


def open_net(args: argparse.Namespace, phase: int) -> Net:
    """Return the net of ``--model`` as the flags of devices and nets say."""
    from ..net.net import Net
    from ..paths import resolve
    from ..proto.text import read_net
    from .overrides import change_net
    definition = read_net(resolve(args.model))
    change_net(definition, args.set)
    return Net(definition, open_backend(args), phase=phase, level=args.level,
               stages=stages(args), settings=settings(args))


def add_set_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--set``, which replaces fields of layers; for commands that read a net."""
    parser.add_argument("--set", action="append", default=[], metavar="layer.NAME.FIELD=VALUE",
                        help="replace a field of the layers of that name, such as "
                             "layer.data.batch_size=3; may be repeated")


def open_backend(args: argparse.Namespace, param: SolverParameter | None = None) -> Backend:
    """Return the backend of the flags, or else of the solver, or else the first usable GPU.

    Raises:
        UsageError: ``--gpu`` with something other than one number.
        BackendError: a GPU that is asked for is not there, or the device lacks that ``--math``.
    """
    if args.threads:
        os.environ["OMP_NUM_THREADS"] = str(args.threads)  # for libraries not loaded yet
    from ..backends import get_backend
    from ..backends.choose import announce, automatic_device, device_for
    if args.gpu is not None:
        device = f"gpu:{_gpu_number(args.gpu)}"
    elif args.cpu:
        device = "cpu"
    else:
        device = automatic_device() if param is None else device_for(param)
    backend = get_backend(device, math=args.math, without_gpu="use --cpu")
    if args.threads and device == "cpu":
        from ..backends.cpu.threads import set_threads
        set_threads(args.threads)
    if param is None:
        announce(device)  # a training says it in its log file
    return backend


def report(line: str) -> None:
    """Print a line of progress, or a warning, on stderr."""
    print(printable_lines(line), file=sys.stderr, flush=True)


def quiet_arithmetic() -> AbstractContextManager[object]:
    """Return a context in which NumPy says nothing about overflows and NaN.

    The loss is checked anyway, with a message that names the layer.
    """
    import numpy as np
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def _gpu_number(text: str) -> int:
    if not text.isdecimal():
        raise UsageError("--gpu takes the number of one GPU", got=text, wanted="0, 1, …",
                         remedy="Training on several GPUs at once is not supported.")
    return int(text)


def at_least(least: int, text: str) -> int:
    """Return the value of a flag that takes an integer from ``least`` up."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, not '{text}'") from None
    if value < least:
        raise argparse.ArgumentTypeError(f"must be {least} or more")
    return value
