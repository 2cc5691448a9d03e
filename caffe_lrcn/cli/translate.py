"""``caffe-lrcn translate``: describe clips by statistical translation of their labels."""
from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError, UsageError
from . import runtime

if TYPE_CHECKING:
    from ..tasks.description.roles import Roles

_count = partial(runtime.at_least, 1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their flags."""
    commands = parser.add_subparsers(dest="translate_command", metavar="COMMAND", required=True)
    _add_train(commands.add_parser(
        "train", help="learn phrases, a language model and weights",
        description="Learn to translate the labels of clips into their sentences: align words "
                    "and labels, extract phrases, count n-grams, and choose the weights by BLEU-4 "
                    "on clips held out."))
    _add_describe(commands.add_parser(
        "describe", help="write sentences about clips",
        description="Print 'clip: Sentence.' for each clip."))


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--roles", required=True, type=Path, metavar="FILE",
                        help="roles of clips with sentences (.json or .h5)")
    parser.add_argument("--out", required=True, type=Path, metavar="MODEL.json",
                        help="file to write")
    parser.add_argument("--val", type=Path, metavar="FILE",
                        help="roles of the clips on which weights are chosen (default: some of "
                             "--roles, which are then not learnt from)")
    parser.add_argument("--val-fraction", type=float, default=0.1, metavar="F",
                        help="share of --roles held out without --val; 0: keep the usual weights "
                             "(%(default)s)")
    parser.add_argument("--lattice", type=_count, default=1, metavar="K",
                        help="choose the weights for lattices of the K most probable labels of "
                             "each slot (%(default)s: the maxima alone)")
    parser.add_argument("--order", type=partial(runtime.at_least, 2), default=3, metavar="N",
                        help="of the language model: n-grams of N words (%(default)s)")
    parser.add_argument("--iterations", type=_count, default=5, metavar="N",
                        help="of each alignment model (%(default)s)")
    parser.add_argument("--phrase-length", type=_count, default=7, metavar="N",
                        help="words of the longest phrase (%(default)s)")
    parser.add_argument("--seed", type=int, default=1,
                        help="of the clips held out and the weights tried (%(default)s)")


def _add_describe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--roles", required=True, type=Path, metavar="FILE",
                        help="roles of the clips (.json or .h5)")
    parser.add_argument("--model", required=True, type=Path, metavar="MODEL.json",
                        help="what 'translate train' wrote")
    parser.add_argument("--lattice", type=_count, metavar="K",
                        help="choose among the K most probable labels of each slot (as in "
                             "training)")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="write COCO results; an image_id is a clip's id")


def run(args: argparse.Namespace) -> int:
    """Run the sub-command; return the exit code."""
    return {"train": _train, "describe": _describe}[args.translate_command](args)


def _train(args: argparse.Namespace) -> int:
    from ..files import check_output
    from ..tasks.description.translation import Recipe, train
    from ..tasks.description.translation_file import write_translator
    check_output(args.out, DataError, "the model")
    roles, held_out = _clips(args)
    recipe = Recipe(args.order, args.iterations, args.phrase_length, args.lattice, seed=args.seed)
    translator = train(roles, held_out, recipe, runtime.report)
    write_translator(args.out, translator)
    about = translator.about
    print(f"{args.out}: {sum(map(len, translator.table.values()))} phrases, learnt from "
          f"{about['sentences']} sentences of {about['clips']} clips")
    if translator.held_out is not None:
        print(f"BLEU-4 of {translator.held_out[0]} clips held out: "
              f"{100 * translator.held_out[1]:.1f}%")
    return 0


def _clips(args: argparse.Namespace) -> tuple[Roles, Roles | None]:
    """Return the clips to learn from, and those held out."""
    from ..tasks.description.roles import read_roles
    from ..tasks.description.translation import hold_out
    if not 0 <= args.val_fraction < 1:
        raise UsageError("--val-fraction is out of range", got=args.val_fraction,
                         wanted="0 to less than 1")
    roles = read_roles(args.roles)
    if args.val is not None:
        return roles, read_roles(args.val)
    if args.val_fraction == 0:
        return roles, None
    return hold_out(roles, args.val_fraction, args.seed)


def _describe(args: argparse.Namespace) -> int:
    from ..files import check_output
    from ..language.result_files import write_results
    from ..tasks.description.roles import read_roles
    from ..tasks.description.translation_file import read_translator
    if args.json:
        check_output(args.json, DataError, "the results")
    roles = read_roles(args.roles)
    translator = read_translator(args.model)
    trained = translator.recipe.lattice
    width = trained if args.lattice is None else args.lattice
    if width != trained:
        runtime.report(f"note: the weights of {args.model} were chosen with --lattice {trained}")
    sentences = translator.describe(roles, width, runtime.report)
    try:
        if args.json:
            write_results(args.json, roles.ids, sentences)
    finally:  # a full disk must not cost the sentences
        for name, text in zip(roles.ids, sentences, strict=True):
            print(f"{name}: {text}")
    return 0
