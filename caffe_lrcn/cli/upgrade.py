"""``caffe-lrcn upgrade``: rewrite old definitions in today's form.

The exit codes are those of Caffe's tools: 2 for a file that cannot be read, 1 for one that
cannot be upgraded, 0 otherwise, also if there was nothing to do.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

UNREADABLE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", choices=("net", "solver"), help="what the file defines")
    parser.add_argument("input", metavar="IN", help="text or binary; the output is the same")
    parser.add_argument("output", metavar="OUT", help="where to write; - prints")


def run(args: argparse.Namespace) -> int:
    """Upgrade a file; return the exit code."""
    from ..errors import CaffeError
    from ..proto.upgrade_file import (
        UnreadableError,
        upgrade_net_file,
        upgrade_solver_file,
        write_file,
    )
    try:
        upgraded = (upgrade_net_file if args.what == "net" else upgrade_solver_file)(args.input)
        if args.output == "-":
            sys.stdout.flush()
            upgraded.write(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            write_file(upgraded, args.output)
    except CaffeError as error:
        _say(f"error: {error}")
        return UNREADABLE if isinstance(error, UnreadableError) else 1
    form = "text" if upgraded.text else "binary"
    if not upgraded.changed:
        _say(f"{args.input} is in today's form already")
    if args.output != "-":
        _say(f"wrote {args.output} ({form})")
    return 0


def script(what: str, words: Sequence[str]) -> int:
    """Run as one of Caffe's tools, which only know IN and OUT; wrong usage gives 1."""
    if len(words) != 2:
        _say(f"usage: upgrade_{what} IN OUT")
        return 1
    return run(argparse.Namespace(what=what.split("_")[0], input=words[0], output=words[1]))


def _say(line: str) -> None:
    print(line, file=sys.stderr)
