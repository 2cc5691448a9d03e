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
from . import decoding, runtime

if TYPE_CHECKING:
    import numpy as np

    from ..language.decoder import Decoder

DEFAULT_NET = "prototxt/lrcn_word_deploy.prototxt"
DEFAULT_IMAGE_NET = "prototxt/lrcn_image_deploy.prototxt"


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
    decoding.add_decoding_flags(parser)
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
    decoding.add_vocabulary_flags(nets)
    nets.add_argument("--stage", default="", metavar="A,B",
                      help="variant of the words' net, such as unfactored,1-layer")
    runtime.add_picture_flags(nets)


def run(args: argparse.Namespace) -> int:
    """Print ``picture: Caption.`` for each picture; return 1 if some could not be read."""
    from ..paths import resolve
    from ..tasks.captioning.pictures import read_features
    options = decoding.strategy_options(args)
    mean = runtime.mean(args.mean)
    pictures = _pictures(args)
    check_output(args, pictures)
    vocabulary = decoding.read_vocabulary(args)
    net = resolve(args.net)
    is_default = os.path.realpath(net) == os.path.realpath(resolve(DEFAULT_NET))
    decoder = decoding.open_decoder(args, net, vocabulary, runtime.open_backend(args), is_default)
    broken: dict[str, DataError] = {}
    if args.features:
        features = read_features(args.features, len(pictures) or None)
    else:
        features = _picture_features(args, pictures, mean, decoder, broken)
    found = iter(decoding.decode(decoder, features, args, options))
    names = pictures or [str(row) for row in range(len(features))]
    captions = [Captioned(name, error=str(broken[name])) if name in broken else
                Captioned(name, name if pictures else None,
                          [(hypothesis.log_prob, vocabulary.sentence(hypothesis.words))
                           for hypothesis in next(found)]) for name in names]
    for error in broken.values():
        print(f"error: {error}", file=sys.stderr)
    write_outputs(args, captions)
    return 1 if broken else 0


def _pictures(args: argparse.Namespace) -> list[str]:
    """Return the pictures' files; they may be missing where there are features."""
    from ..sources.folder import expand
    from ..tasks.captioning.pictures import read_list
    pictures = [*expand(args.pictures), *(read_list(args.images) if args.images else [])]
    if not pictures and not args.features:
        raise UsageError("there are no pictures to caption",
                         wanted="picture files, folders, --images LIST or --features FILE.npy")
    return pictures


def _picture_features(args: argparse.Namespace, pictures: list[str], mean: list[float] | None,
                      decoder: Decoder, broken: dict[str, DataError]) -> np.ndarray:
    from ..paths import resolve
    from ..tasks.captioning.pictures import FeatureNet
    net = FeatureNet(resolve(args.image_net), args.image_weights or args.weights,
                     resize=args.resize, mean=mean, backend=decoder.step_net.backend)
    decoder.step_net.inputs.context(net.features([]))  # before the work, not after it
    with runtime.quiet_arithmetic():
        return net.features(pictures, broken)
