"""``caffe-lrcn describe``: write sentences about clips with a trained decoder."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import decoding, describe_features, runtime

if TYPE_CHECKING:
    from ..language.vocabulary import Vocabulary
    from ..tasks.description.roles import Roles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    seen = parser.add_mutually_exclusive_group(required=True)
    seen.add_argument("videos", nargs="*", default=[], type=Path, metavar="VIDEO",
                      help="video files, folders of them, or folders of folders of frames; needs "
                           "--image-net")
    seen.add_argument("--roles", type=Path, metavar="FILE",
                      help="roles of the clips (.json or .h5)")
    describe_features.add_arguments(parser, seen)
    parser.add_argument("--architecture", choices=("a", "b", "c"),
                        help="of Figure 5 of the LRCN paper: a reads the labels one by one, b sees "
                             "them at each word, c sees their probabilities (what --net tells)")
    nets = parser.add_argument_group("nets")
    nets.add_argument("--data", type=Path, metavar="FOLDER",
                      help="what 'data role-streams' wrote: --net, --vocabulary and --slots are "
                           "taken from there")
    nets.add_argument("--net", help="deploy definition (of FOLDER, by --architecture)")
    nets.add_argument("--weights", required=True, type=Path, help="trained weights")
    decoding.add_vocabulary_flags(nets, required=False, fallback="of FOLDER")
    nets.add_argument("--slots", type=Path, metavar="FILE",
                      help="slots.json, with the slots that the net was trained with (beside the "
                           "vocabulary)")
    nets.add_argument("--stage", default="", metavar="A,B", help="variant of the net")
    decoding.add_decoding_flags(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--top", type=int, default=1, metavar="N",
                        help="sentences shown of each clip (1)")
    output.add_argument("--json", type=Path, metavar="FILE", help="write COCO results")
    output.add_argument("--references", type=Path, metavar="FILE",
                        help="COCO captions file with ids for --json (the clips' own ids)")
    output.add_argument("--html", type=Path, metavar="FILE",
                        help="write a page with the clips and their roles")
    runtime.add_device_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Print ``clip: Sentence.`` for each clip; return the exit code."""
    if args.roles is None:
        return describe_features.run(args)
    from ..tasks.captioning.gallery import Captioned
    from ..tasks.captioning.output import check_output, write_outputs
    from ..tasks.description.describe import architecture_of, role_context
    from ..tasks.description.page import write_descriptions
    from ..tasks.description.roles import read_roles
    options = decoding.strategy_options(args)
    net = _fill_in(args)
    roles = read_roles(args.roles)
    check_output(args, roles.ids, named=True)
    vocabulary = decoding.read_vocabulary(args)
    _check_slots(args, roles, vocabulary)
    decoder = decoding.open_decoder(args, net, vocabulary, runtime.open_backend(args))
    architecture = architecture_of(decoder.step_net, args.architecture, net)
    context = role_context(decoder.step_net, roles, architecture, net)
    found = decoding.decode(decoder, context, args, options)
    described = [Captioned(name, captions=[(hypothesis.log_prob,
                                            vocabulary.sentence(hypothesis.words))
                                           for hypothesis in hypotheses])
                 for name, hypotheses in zip(roles.ids, found, strict=True)]
    about = f"{args.weights.name}, architecture {architecture}, {args.strategy}"
    write_outputs(args, described, named=True,
                  write_page=lambda shown: write_descriptions(args.html, about, roles, shown,
                                                              architecture == "c"))
    return 0


def _fill_in(args: argparse.Namespace) -> str:
    """Take what is not given from ``--data``; return the path of the definition.

    Raises:
        UsageError: something is missing.
    """
    from ..paths import resolve
    from ..tasks.description.describe import DEPLOY
    from ..tasks.description.trained_slots import NAME
    if args.net is None:
        if args.data is None or args.architecture is None:
            raise UsageError("nothing tells which net to use",
                             wanted="--net, or --data and --architecture")
        args.net = str(args.data / DEPLOY[args.architecture])
    if args.vocabulary is None:
        if args.data is None:
            raise UsageError("nothing tells what the net's words are",
                             wanted="--vocabulary, or --data")
        args.vocabulary = args.data / "vocabulary.txt"
    if args.slots is None:
        args.slots = args.vocabulary.parent / NAME
    return resolve(args.net)


def _check_slots(args: argparse.Namespace, roles: Roles, vocabulary: Vocabulary) -> None:
    from ..tasks.description.role_records import check_same_slots
    from ..tasks.description.trained_slots import read_slots
    slots = read_slots(args.slots, None if args.other_vocabulary else vocabulary)
    check_same_slots(roles, slots, str(args.slots))
