"""Trains in a process of its own that kills itself, or waits to be killed, at a chosen moment.

Usage: python -m tests.solver.kill_driver SOLVER MOMENT, where MOMENT is ``never``, ``rename:N`` or
``fsync:N`` (before the N-th call of the process). Goes on from the newest snapshot if there is one.
"""
from __future__ import annotations

import os
import signal
import sys

from caffe_lrcn.errors import SnapshotError
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.solver import snapshot
from caffe_lrcn.solver.solver import Solver


def kill_before(name: str, number: int) -> None:
    """Replace ``os.<name>`` by a function that kills the process at its N-th call."""
    original, calls = getattr(os, name), []

    def deadly(*args, **kwargs):
        calls.append(args)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(os, name, deadly)


def main() -> None:
    path, moment = sys.argv[1:]
    solver = Solver(read_solver(path))
    try:
        resume = snapshot.find("latest", solver.prefix)
    except SnapshotError:
        resume = None
    if moment != "never":
        kind, _, number = moment.partition(":")
        kill_before({"rename": "replace"}.get(kind, kind), int(number))
    print("ready", flush=True)
    solver.solve(resume)
    solver.close()


if __name__ == "__main__":
    main()
