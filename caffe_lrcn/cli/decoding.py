"""What commands that write sentences share: the search and its flags, decoder, vocabulary."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import runtime

if TYPE_CHECKING:
    from ..backends import Backend
    from ..language.context import Given
    from ..language.decoder import Decoder
    from ..language.hypothesis import Hypothesis
    from ..language.vocabulary import Vocabulary

# strategy -> the flags that it heeds, with their defaults
STRATEGIES: dict[str, dict[str, float]] = {
    "greedy": {},
    "beam": {"beam_size": 5, "length_normalisation": 0.0},
    "sample": {"samples": 5, "inverse_temperature": 1.0, "seed": 0},
    "best-of": {"samples": 100, "inverse_temperature": 1.5, "seed": 0},
}
# What the flags of a number are called, where that is not its name with dashes.
_SPELLINGS = {"inverse_temperature": "--temperature or --inverse-temperature"}


def add_vocabulary_flags(nets: argparse._ActionsContainer, required: bool = True,
                         fallback: str = "") -> None:
    """Add ``--vocabulary`` and what goes with it.

    Args:
        nets: the group of flags.
        required: whether it must be given.
        fallback: what is taken without it, for the help.
    """
    nets.add_argument("--vocabulary", required=required, type=Path,
                      help=f"vocabulary.txt{fallback and f' ({fallback})'}")
    nets.add_argument("--partial-vocabulary", action="store_true",
                      help="the net has more ids than the vocabulary (as the default net may)")
    runtime.add_vocabulary_flag(nets)


def add_decoding_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the search, in a group."""
    decoding = parser.add_argument_group("decoding")
    decoding.add_argument("--strategy", choices=STRATEGIES, default="greedy", help="(%(default)s)")
    decoding.add_argument("--beam-size", type=int, metavar="N", help="of beam (5)")
    decoding.add_argument("--length-normalisation", type=float, metavar="A",
                          help="of beam: rank captions of n words by log p / n^A (0)")
    decoding.add_argument("--samples", type=int, metavar="N",
                          help="samples per sentence: sample (5), best-of (100)")
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


def decode(decoder: Decoder, given: Given, args: argparse.Namespace,
           options: dict[str, float]) -> list[list[Hypothesis]]:
    """Return the hypotheses of each sentence, best first.

    Args:
        decoder: of ``open_decoder``.
        given: what the sentences are about.
        args: the flags.
        options: of ``strategy_options``.
    """
    options = {"num" if name == "samples" else name: value for name, value in options.items()}
    search = {"greedy": decoder.greedy, "beam": decoder.beam, "sample": decoder.sample,
              "best-of": decoder.best_of}[args.strategy]
    with runtime.quiet_arithmetic():
        return search(given, max_length=args.max_length, **options)


def read_vocabulary(args: argparse.Namespace) -> Vocabulary:
    """Return the vocabulary of the flags; the weights must not be of another one.

    Raises:
        DataError: it cannot be read, or the weights were trained with another.
    """
    from ..language.vocabulary import Vocabulary
    from ..language.vocabulary_card import check_weights
    vocabulary = Vocabulary.read(args.vocabulary)
    if not args.other_vocabulary:
        check_weights(args.weights, vocabulary, args.vocabulary)
    return vocabulary


def open_decoder(args: argparse.Namespace, net: str, vocabulary: Vocabulary, backend: Backend,
                 spare: bool = False) -> Decoder:
    """Return the decoder of the flags.

    Args:
        args: the flags.
        net: the deploy definition.
        vocabulary: of ``read_vocabulary``.
        backend: where to run.
        spare: the net may have more ids than the vocabulary.

    Raises:
        UsageError: the vocabulary and the net have different numbers of words.
    """
    from ..language.decoder import Decoder
    decoder = Decoder(net, args.weights, words=len(vocabulary), backend=backend,
                      stages=runtime.stages(args), block_unknown=args.block_unknown)
    if len(vocabulary) < decoder.classes and not spare and not args.partial_vocabulary:
        raise UsageError("the vocabulary has fewer words than the net", where=args.vocabulary,
                         got=f"{len(vocabulary)} ids", wanted=decoder.classes,
                         remedy="Use the vocabulary that the net was trained with; if this is it "
                                "and the net has ids to spare, say --partial-vocabulary.")
    return decoder
