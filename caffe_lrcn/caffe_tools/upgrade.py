"""Rewrite an old definition in today's form: upgrade_net_proto_text IN OUT, for example.

Text stays text, and binary files, such as a .caffemodel, stay binary. Exit codes: 0 done, or
nothing to do; 1 wrong usage, or no new form exists; 2 unreadable.
"""
from __future__ import annotations

import argparse
import sys

from ..errors import CaffeError
from ..printable import printable_lines
from ..proto.upgrade_file import (
    UnreadableError,
    upgrade_net_file,
    upgrade_solver_file,
    write_file,
)
from .program import Parser

UNREADABLE = 2


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of Caffe's three tools."""
    parser.add_argument("input", metavar="IN")
    parser.add_argument("output", metavar="OUT")


def run(args: argparse.Namespace) -> int:
    """Upgrade what the tool's name says; return the exit code."""
    return upgrade("solver" if "solver" in args.command else "net", args.input, args.output)


def upgrade(what: str, source: str, output: str) -> int:
    """Upgrade a file, tell on stderr what was done, and return the exit code of Caffe's tools.

    Args:
        what: ``net`` or ``solver``.
        source: text or binary; the output has the same form.
        output: where to write; ``-`` prints.
    """
    try:
        upgraded = (upgrade_net_file if what == "net" else upgrade_solver_file)(source)
        if output == "-":
            sys.stdout.flush()
            upgraded.write(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            write_file(upgraded, output)
    except CaffeError as error:
        _say(f"error: {error}")
        return UNREADABLE if isinstance(error, UnreadableError) else 1
    if not upgraded.changed:
        _say(f"{source} is in today's form already")
    if output != "-":
        _say(f"wrote {output} ({'text' if upgraded.text else 'binary'})")
    return 0


def _say(line: str) -> None:
    print(printable_lines(line), file=sys.stderr)
