"""``caffe-lrcn streams``: the word streams of an HDF5 file as timelines."""
from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..files import new_file
from . import runtime

if TYPE_CHECKING:
    from ..language.vocabulary import Vocabulary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("file", metavar="FILE.h5", help="a file of word streams, T x N")
    parser.add_argument("--vocabulary", metavar="FILE",
                        help="vocabulary.txt, to show words for their numbers")
    runtime.add_vocabulary_flag(parser)
    parser.add_argument("--rows", type=int, default=20, metavar="N",
                        help="time steps to show (default 20)")
    parser.add_argument("--streams", type=int, default=8, metavar="N",
                        help="streams to show (default 8)")
    parser.add_argument("--html", metavar="OUT", help="write a page instead of the timelines")
    for name in ("cont", "input", "target"):
        parser.add_argument(f"--{name}", default=f"{name}_sentence", metavar="NAME",
                            help=f"data set of {name} (default {name}_sentence)")


def run(args: argparse.Namespace) -> int:
    """Show the streams; return 1 if something is wrong with them."""
    from ..language.stream_checks import Names, find_problems, measure, read_streams
    from ..language.stream_views import as_html, as_text, facts
    from ..language.vocabulary import Vocabulary
    from ..language.vocabulary_card import check_streams
    if min(args.rows, args.streams) < 0:
        raise UsageError("--rows and --streams are 0 or more")
    vocabulary = Vocabulary.read(args.vocabulary) if args.vocabulary else None
    if vocabulary is not None and not args.other_vocabulary:
        check_streams(args.file, vocabulary, args.vocabulary)
    streams = read_streams(args.file, Names(args.cont, args.input, args.target))
    findings = find_problems(streams, len(vocabulary) if vocabulary else None)
    summary = facts(streams, measure(streams), findings)

    def word(number: int) -> str:
        return _word(vocabulary, number)

    if args.html:
        page = as_html(os.path.basename(args.file), streams, args.rows, args.streams, word,
                       summary, findings)
        with new_file(args.html, UsageError, "the page") as stream:
            stream.write(page)
    else:
        print(as_text(streams, args.rows, args.streams, word, findings), end="\n\n")
    print(f"{args.file}: {summary}")
    return int(bool(findings))


def _word(vocabulary: Vocabulary | None, number: int) -> str:
    if vocabulary is not None and 0 <= number < len(vocabulary):
        return vocabulary.words[number]
    return str(number)
