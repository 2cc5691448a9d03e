"""What the scripts in ``tools/`` share: flags in the spelling of gflags, log, errors, exit codes.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from ..errors import CaffeError
from .main import long_flags
from .runtime import add_log_flags, start_log

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_LOG_SWITCHES = ("logtostderr", "alsologtostderr")


class Parser(argparse.ArgumentParser):
    """Takes ``-name``, ``--name``, ``--noname`` and ``-name=false`` for switches, as gflags does.

    Wrong usage ends the program with code 1, which Caffe's tools return.
    """

    def __init__(self, description: str) -> None:
        super().__init__(description=description, allow_abbrev=False,
                         formatter_class=argparse.RawDescriptionHelpFormatter)
        self._switches = list(_LOG_SWITCHES)
        add_log_flags(self)

    def add_switch(self, name: str, help: str) -> None:
        """Add a flag that is false unless given."""
        self._switches.append(name)
        self.add_argument(f"--{name}", type=_truth, default=False, metavar="true|false", help=help)

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the values of flags and positional arguments, in any order."""
        return self.parse_intermixed_args([self._switch(word) for word in long_flags(words)])

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


def add_model_flags(parser: Parser) -> None:
    """Add what classify.py and detect.py share: net, weights, device, and how inputs are made.

    The defaults are the places of Caffe's reference model in a checkout of Caffe.
    """
    parser.add_argument("--model_def", default="prototxt/zoo/caffenet/deploy.prototxt",
                        help="definition of the net (default: %(default)s)")
    parser.add_argument(
        "--pretrained_model", help="weights (default: %(default)s)",
        default="models/bvlc_reference_caffenet/bvlc_reference_caffenet.caffemodel")
    parser.add_switch("gpu", "run on the first GPU")
    parser.add_argument("--mean_file", default="python/caffe/imagenet/ilsvrc_2012_mean.npy",
                        help=".npy or .binaryproto, '' for none (default: %(default)s)")
    parser.add_argument("--input_scale", type=float, help="factor after the mean is taken off")
    parser.add_argument("--raw_scale", type=float, default=255.0, help="factor before that")
    parser.add_argument("--channel_swap", default="2,1,0",
                        help="order of the channels; the default makes BGR of RGB")


def run_program(parser: Parser, work: Callable[[argparse.Namespace], None],
                words: Sequence[str] | None = None) -> int:
    """Parse the flags, start the log and do the work; return 0, or 1 after an error.

    Args:
        parser: declares the flags.
        work: gets their values.
        words: the words after the program's name; None takes them from the process.
    """
    args = parser.parse(sys.argv[1:] if words is None else words)
    try:
        start_log(args)
        work(args)
    except CaffeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _truth(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return text.lower() in _TRUE
