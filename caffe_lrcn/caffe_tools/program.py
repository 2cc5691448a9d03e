"""What Caffe's tools and the other commands share: flags as gflags spells them, and the log."""
from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import NoReturn

from .. import glog
from ..hints import did_you_mean, nearest
from ..printable import printable

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_LOG_SWITCHES = ("logtostderr", "alsologtostderr")
_SINGLE_DASH = re.compile(r"-[A-Za-z][A-Za-z]")


class CommandParser(argparse.ArgumentParser):
    """Names misspelt flags, and words that lack their flag, before anything that is missing."""

    _words: Sequence[str] = ()

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Refuse the first unknown flag; what follows a command's name is that command's."""
        self._words = list(sys.argv[1:] if args is None else args)
        if self._subparsers is None:
            for flag in takewhile("--".__ne__, self._words):
                name = flag.split("=", 1)[0]
                if name.startswith("--") and name not in self._option_string_actions:
                    near = did_you_mean(nearest(name, self._option_string_actions))
                    self.error(f"unknown flag {printable(name)}. "
                               f"{near or 'See ' + self.prog + ' --help'}")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say how the program is used and what is wrong with these words, and leave."""
        head, _, names = message.partition("arguments are required: ")
        flags, words = names.split(", "), self._loose_words()
        if names and words and all(flag.startswith("--") for flag in flags):
            pairs = zip((flag.split("/")[0] for flag in flags), words, strict=False)
            message += f" (write {' '.join(f'{flag} {printable(word)}' for flag, word in pairs)})"
        self.fail(message)

    def fail(self, message: str) -> NoReturn:
        """Leave with a message."""
        super().error(message)

    def _loose_words(self) -> list[str]:
        """Return the words that are not flags, nor the values of flags."""
        loose, before = [], None
        for word in self._words:
            action = self._option_string_actions.get(before or "")
            if not word.startswith("-") and (action is None or action.nargs == 0):
                loose.append(word)
            before = word
        return loose


class Parser(CommandParser):
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

    def fail(self, message: str) -> NoReturn:
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
