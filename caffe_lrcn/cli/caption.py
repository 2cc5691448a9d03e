"""``caffe-lrcn caption``: describe pictures with a trained captioner."""
from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path)
    parser.add_argument("--net", type=Path, default=Path("prototxt/lrcn_word_deploy.prototxt"),
                        help="deploy definition of the words' net (%(default)s)")
    parser.add_argument("--image-net", type=Path,
                        default=Path("prototxt/lrcn_image_deploy.prototxt"),
                        help="deploy definition of the pictures' net (%(default)s)")
    parser.add_argument("--weights", required=True, type=Path,
                        help="trained weights of both nets")
    parser.add_argument("--image-weights", type=Path,
                        help="weights of the pictures' net, if they are in a file of their own")
    parser.add_argument("--vocabulary", required=True, type=Path, help="vocabulary.txt")
    parser.add_argument("--stage", default="", metavar="A,B",
                        help="variant of the words' net, such as unfactored,1-layer")
    parser.add_argument("--max-length", type=int, default=20, help="most words (20)")
    parser.add_argument("--resize", type=int, metavar="PIXELS",
                        help="side of the pictures before their centre is cut out "
                             "(256/227 of the net's input)")
    parser.add_argument("--mean", default="104,117,123", metavar="B,G,R",
                        help="mean that is subtracted (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Print ``path: Caption.`` for each picture; return the exit code."""
    from ..paths import resolve
    from ..tasks.captioning import Decoder, FeatureNet, Vocabulary
    vocabulary = Vocabulary.read(args.vocabulary)
    decoder = Decoder(resolve(str(args.net)), args.weights, words=len(vocabulary),
                      stages=[stage for stage in args.stage.split(",") if stage])
    pictures = FeatureNet(resolve(str(args.image_net)), args.image_weights or args.weights,
                          full=args.resize, mean=_mean(args.mean))
    found = decoder.greedy(pictures.features(args.images), args.max_length)
    for path, hypotheses in zip(args.images, found, strict=True):
        print(f"{path}: {vocabulary.sentence(hypotheses[0].words)}")
    return 0


def _mean(text: str) -> list[float]:
    try:
        mean = [float(value) for value in text.split(",")]
    except ValueError:
        mean = []
    if len(mean) != 3:
        raise UsageError("--mean takes three numbers: blue,green,red", got=text)
    return mean
