"""What Caffe's tools and the other commands share: flags as gflags spells them, and the log."""
from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import glog

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_LOG_SWITCHES = ("logtostderr", "alsologtostderr")
_SINGLE_DASH = re.compile(r"-[A-Za-z][A-Za-z]")


class Parser(argparse.ArgumentParser):
    """Takes ``-name``, ``--name``, ``--noname`` and ``-name=false`` for switches, as gflags does.

    Wrong usage ends the program with code 1, which Caffe's tools return.
    """

    def __init__(self, prog: str, description: str | None) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False,
                         formatter_class=argparse.RawDescriptionHelpFormatter)
        self._switches = list(_LOG_SWITCHES)
        add_log_flags(self)

    def add_switch(self, name: str, help: str) -> None:
        """Add a flag that is false unless given."""
        self._switches.append(name)
        self.add_argument(f"--{name}", type=_truth, default=False, metavar="true|false", help=help)

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the values of long flags and positional arguments, in any order."""
        return self.parse_intermixed_args([self._switch(word) for word in words])

    def error(self, message: str) -> NoReturn:
        """Say how the program is used and leave with code 1."""
        self.print_usage(sys.stderr)
        self.exit(1, f"error: {message}\n")

    def _switch(self, word: str) -> str:
        """Give a bare switch its value: argparse would take the next word for it."""
        name = word.removeprefix("--")
        if name != word and name in self._switches:
            return f"--{name}=true"
        if name != word and name.removeprefix("no") in self._switches:
            return f"--{name.removeprefix('no')}=false"
        return word


def long_flags(words: Sequence[str]) -> list[str]:
    """Return ``words`` with the old spelling of flags, ``-solver``, written ``--solver``."""
    return ["-" + word if _SINGLE_DASH.match(word) else word for word in words]


def add_log_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--log_dir`` and ``--minloglevel``; ``--logtostderr`` is what tools do anyway."""
    parser.add_argument("--log_dir", metavar="FOLDER", help="also write the log to a file there")
    parser.add_argument("--minloglevel", type=int, default=0, metavar="N",
                        help="0: all lines, 1: warnings and errors, 2: errors")
    parser.add_argument("--logtostderr", "--alsologtostderr", nargs="?", const="true",
                        help=argparse.SUPPRESS)


def start_log(args: argparse.Namespace, brief: bool = False) -> None:
    """Begin logging as the flags say; ``brief``: stderr shows warnings and errors only."""
    glog.start(min_level=args.minloglevel, log_dir=args.log_dir, brief=brief)


def split_list(text: str) -> list[str]:
    """Return the trimmed items of a comma list, without empty ones."""
    return [item for item in (part.strip() for part in text.split(",")) if item]


def _truth(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return text.lower() in _TRUE
