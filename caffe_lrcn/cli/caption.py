"""``caffe-lrcn caption``: describe pictures with a trained captioner."""
from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError, UsageError
from ..tasks.captioning.gallery import Captioned
from ..tasks.captioning.output import check_output, write_outputs
from . import runtime

if TYPE_CHECKING:
    import numpy as np

    from ..backends import Backend
    from ..language.decoder import Decoder
    from ..language.hypothesis import Hypothesis
    from ..language.vocabulary import Vocabulary

DEFAULT_NET = "prototxt/lrcn_word_deploy.prototxt"
DEFAULT_IMAGE_NET = "prototxt/lrcn_image_deploy.prototxt"
# strategy -> the flags that it heeds, with their defaults
STRATEGIES: dict[str, dict[str, float]] = {
    "greedy": {},
    "beam": {"beam_size": 5, "length_normalisation": 0.0},
    "sample": {"samples": 5, "inverse_temperature": 1.0, "seed": 0},
    "best-of": {"samples": 100, "inverse_temperature": 1.5, "seed": 0},
}
# What the flags of a number are called, where that is not its name with dashes.
_SPELLINGS = {"inverse_temperature": "--temperature or --inverse-temperature"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("pictures", nargs="*", metavar="IMAGE",
                        help="picture files, or folders of them")
    parser.add_argument("--images", type=Path, metavar="LIST",
                        help="a file that lists pictures, one per line")
    parser.add_argument("--features", type=Path, metavar="FILE.npy",
                        help="features (N, F) instead of a pictures' net; pictures that are named "
                             "too are those of its rows")
    _add_net_flags(parser)
    _add_decoding_flags(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--top", type=int, default=1, metavar="N",
                        help="captions shown of each picture (1)")
    output.add_argument("--json", type=Path, metavar="FILE", help="write COCO results")
    output.add_argument("--references", type=Path, metavar="FILE",
                        help="COCO captions file with the pictures' ids for --json (by default "
                             "the last number in the file name; where that does not tell all "
                             "pictures apart, the file names)")
    output.add_argument("--html", type=Path, metavar="FILE", help="write a page with the pictures")
    runtime.add_device_flags(parser)


def _add_net_flags(parser: argparse.ArgumentParser) -> None:
    nets = parser.add_argument_group("nets")
    nets.add_argument("--net", default=DEFAULT_NET,
                      help="deploy definition of the words' net (%(default)s)")
    nets.add_argument("--image-net", default=DEFAULT_IMAGE_NET,
                      help="deploy definition of the pictures' net (%(default)s)")
    nets.add_argument("--weights", required=True, type=Path, help="trained weights of both nets")
    nets.add_argument("--image-weights", type=Path,
                      help="weights of the pictures' net, if they are in a file of their own")
    nets.add_argument("--vocabulary", required=True, type=Path, help="vocabulary.txt")
    nets.add_argument("--partial-vocabulary", action="store_true",
                      help="the net has more ids than the vocabulary (as the default net may)")
    runtime.add_vocabulary_flag(nets)
    nets.add_argument("--stage", default="", metavar="A,B",
                      help="variant of the words' net, such as unfactored,1-layer")
    runtime.add_picture_flags(nets)


def _add_decoding_flags(parser: argparse.ArgumentParser) -> None:
    decoding = parser.add_argument_group("decoding")
    decoding.add_argument("--strategy", choices=STRATEGIES, default="greedy", help="(%(default)s)")
    decoding.add_argument("--beam-size", type=int, metavar="N", help="of beam (5)")
    decoding.add_argument("--length-normalisation", type=float, metavar="A",
                          help="of beam: rank captions of n words by log p / n^A (0)")
    decoding.add_argument("--samples", type=int, metavar="N",
                          help="samples per picture: sample (5), best-of (100)")
    either = decoding.add_mutually_exclusive_group()
    either.add_argument("--temperature", type=temperature, dest="inverse_temperature",
                        metavar="T", help="of sample (1) and best-of (0.667): probabilities become "
                                          "p^(1/T), so that less than 1 prefers probable words")
    either.add_argument("--inverse-temperature", type=float, metavar="B",
                        help="1/T, which the LRCN paper calls T: factor of the scores, of sample "
                             "(1) and best-of (1.5)")
    decoding.add_argument("--seed", type=int, metavar="N", help="of sample and best-of (0)")
    decoding.add_argument("--max-length", type=int, default=20, metavar="N",
                          help="most words (20)")
    decoding.add_argument("--block-unknown", action="store_true", help="never write <unk>")


def temperature(text: str) -> float:
    """Return the factor of the scores that a temperature means: infinity for 0."""
    value = float(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
    return 1 / value if value else float("inf")


def run(args: argparse.Namespace) -> int:
    """Print ``picture: Caption.`` for each picture; return 1 if some could not be read."""
    from ..language.vocabulary import Vocabulary
    from ..language.vocabulary_card import check_weights
    from ..tasks.captioning.pictures import read_features
    options = strategy_options(args)
    mean = runtime.mean(args.mean)
    pictures = _pictures(args)
    check_output(args, pictures)
    vocabulary = Vocabulary.read(args.vocabulary)
    if not args.other_vocabulary:
        check_weights(args.weights, vocabulary, args.vocabulary)
    backend = runtime.open_backend(args)
    decoder = _decoder(args, vocabulary, backend)
    broken: dict[str, DataError] = {}
    if args.features:
        features = read_features(args.features, len(pictures) or None)
    else:
        features = _picture_features(args, pictures, mean, decoder, broken)
    found = iter(_decode(decoder, features, args, options))
    names = pictures or [str(row) for row in range(len(features))]
    captions = [Captioned(name, error=str(broken[name])) if name in broken else
                Captioned(name, name if pictures else None,
                          [(hypothesis.log_prob, vocabulary.sentence(hypothesis.words))
                           for hypothesis in next(found)]) for name in names]
    for error in broken.values():
        print(f"error: {error}", file=sys.stderr)
    write_outputs(args, captions)
    return 1 if broken else 0


def strategy_options(args: argparse.Namespace) -> dict[str, float]:
    """Return the strategy's numbers.

    Raises:
        UsageError: a flag that the strategy does not heed.
    """
    heeded = STRATEGIES[args.strategy]
    for name in {name for flags in STRATEGIES.values() for name in flags} - heeded.keys():
        if getattr(args, name) is not None:
            takers = [strategy for strategy, flags in STRATEGIES.items() if name in flags]
            spelling = _SPELLINGS.get(name, f"--{name.replace('_', '-')}")
            raise UsageError(f"{spelling} does nothing with --strategy {args.strategy}",
                             wanted=f"--strategy {' or '.join(takers)}")
    return {name: default if getattr(args, name) is None else getattr(args, name)
            for name, default in heeded.items()}


def _decode(decoder: Decoder, features: np.ndarray, args: argparse.Namespace,
            options: dict[str, float]) -> list[list[Hypothesis]]:
    options = {"num" if name == "samples" else name: value for name, value in options.items()}
    decode = {"greedy": decoder.greedy, "beam": decoder.beam, "sample": decoder.sample,
              "best-of": decoder.best_of}[args.strategy]
    with runtime.quiet_arithmetic():
        return decode(features, max_length=args.max_length, **options)


def _pictures(args: argparse.Namespace) -> list[str]:
    """Return the pictures' files; they may be missing where there are features."""
    from ..sources.folder import expand
    from ..tasks.captioning.pictures import read_list
    pictures = [*expand(args.pictures), *(read_list(args.images) if args.images else [])]
    if not pictures and not args.features:
        raise UsageError("there are no pictures to caption",
                         wanted="picture files, folders, --images LIST or --features FILE.npy")
    return pictures


def _decoder(args: argparse.Namespace, vocabulary: Vocabulary, backend: Backend) -> Decoder:
    from ..language.decoder import Decoder
    from ..paths import resolve
    net = resolve(args.net)
    decoder = Decoder(net, args.weights, words=len(vocabulary), backend=backend,
                      stages=runtime.stages(args), block_unknown=args.block_unknown)
    spare = args.partial_vocabulary or os.path.realpath(net) == os.path.realpath(
        resolve(DEFAULT_NET))
    if len(vocabulary) < decoder.classes and not spare:
        raise UsageError("the vocabulary has fewer words than the net", where=args.vocabulary,
                         got=f"{len(vocabulary)} ids", wanted=decoder.classes,
                         remedy="Use the vocabulary that the net was trained with; if this is it "
                                "and the net has ids to spare, say --partial-vocabulary.")
    return decoder


def _picture_features(args: argparse.Namespace, pictures: list[str], mean: list[float] | None,
                      decoder: Decoder, broken: dict[str, DataError]) -> np.ndarray:
    from ..paths import resolve
    from ..tasks.captioning.pictures import FeatureNet
    net = FeatureNet(resolve(args.image_net), args.image_weights or args.weights,
                     resize=args.resize, mean=mean, backend=decoder.step_net.backend)
    decoder.step_net.inputs.context(net.features([]))  # before the work, not after it
    with runtime.quiet_arithmetic():
        return net.features(pictures, broken)
