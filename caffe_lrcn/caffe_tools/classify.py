"""Classify pictures: classify INPUT OUTPUT [flags].

INPUT is a picture, a folder of pictures, or a .npy file of pictures (N, H, W, C) with values
from 0 to 1; OUTPUT is a .npy file, which gets the scores (N, classes). What --images_dim,
--mean_file and --input_scale do not say is taken from the net's Input layer, if that has a
transform_param or an image_data_param.
"""
from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence

import numpy as np

from .. import glog
from ..errors import DataError, UsageError
from ..files import new_file
from ..net.deploy import stated_preprocessing
from ..paths import resolve
from ..proto.text import read_net
from ..pycaffe.classifier import Classifier
from ..pycaffe.modes import set_mode_gpu
from ..pycaffe.pictures import load_image
from ..sources.array_file import read_array
from ..sources.folder import pictures_in
from .compute_image_mean import read_mean
from .program import Parser

#: Where a checkout of Caffe has the mean of its reference model's pictures.
MEAN_FILE = "python/caffe/imagenet/ilsvrc_2012_mean.npy"


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's classify.py."""
    parser.add_argument("input_file")
    parser.add_argument("output_file")
    add_model_flags(parser)
    parser.add_switch("center_only", "score the crop in the centre, not the mean of ten crops")
    parser.set_defaults(mean_file=None)
    parser.add_argument("--images_dim", help="height,width before cropping (default: 256,256)")
    parser.add_argument("--ext", default="jpg", help="ending of the pictures in a folder")


def run(args: argparse.Namespace) -> int:
    """Score the pictures; return the exit code."""
    if args.gpu:
        set_mode_gpu()
    classifier = Classifier(
        resolve(args.model_def), args.pretrained_model, *_preparation(args), args.raw_scale,
        numbers(args.channel_swap))
    pictures = load_pictures(args.input_file, args.ext)
    print(f"Classifying {len(pictures)} inputs.")
    start = time.monotonic()
    scores = classifier.predict(pictures, not args.center_only)
    print(f"Done in {time.monotonic() - start:.2f} s.")
    save_scores(args.output_file, scores)
    return 0


def add_model_flags(parser: Parser) -> None:
    """Add what classify and detect share: net, weights, device, and how inputs are made.

    The defaults are the places of Caffe's reference model in a checkout of Caffe.
    """
    parser.add_argument("--model_def", default="prototxt/zoo/caffenet/deploy.prototxt",
                        help="definition of the net (default: %(default)s)")
    parser.add_argument(
        "--pretrained_model", help="weights (default: %(default)s)",
        default="models/bvlc_reference_caffenet/bvlc_reference_caffenet.caffemodel")
    parser.add_switch("gpu", "run on the first GPU")
    parser.add_argument("--mean_file", default=MEAN_FILE,
                        help=f".npy or .binaryproto, '' for none (default: {MEAN_FILE})")
    parser.add_argument("--input_scale", type=float, help="factor after the mean is taken off")
    parser.add_argument("--raw_scale", type=float, default=255.0, help="factor before that")
    parser.add_argument("--channel_swap", default="2,1,0",
                        help="order of the channels; the default makes BGR of RGB")


def _preparation(args: argparse.Namespace,
                 ) -> tuple[Sequence[int] | None, np.ndarray | None, float | None]:
    """Return size before cropping, mean and scale: by the flags, or the net's Input layer."""
    stated = stated_preprocessing(read_net(resolve(args.model_def)))
    size, mean, scale = args.images_dim, args.mean_file, args.input_scale
    if stated is None:
        size = "256,256" if size is None else size
        mean = MEAN_FILE if mean is None else mean
        glog.info("Pictures of %s pixels, less the mean in '%s'.", size, mean)
        return numbers(size, 2), read_mean(mean), scale
    means = read_mean(mean) if mean is not None else stated.transform.mean
    if means is not None and means.shape == (1,):
        means = means.repeat(3)  # Transformer wants one for each channel
    return (numbers(size, 2) if size is not None else stated.new_size, means,
            stated.transform.scale if scale is None else scale)


def load_pictures(path: str, extension: str) -> list[np.ndarray]:
    """Return the pictures (H, W, C) of a file or a folder, values from 0 to 1.

    Args:
        path: a picture; a folder; or a ``.npy`` file of pictures of one size.
        extension: ending of the pictures in a folder, which come by name, numbers by value.

    Raises:
        DataError: nothing is there, or a file is damaged.

    Source: python/classify.py.
    """
    if path.endswith(".npy"):
        pictures = read_array(path, "the pictures")
        if pictures.ndim != 4:
            raise DataError("these are not pictures", where=path, got=f"shape {pictures.shape}",
                            wanted="(pictures, height, width, channels)")
        return list(pictures)
    if not os.path.isdir(path):
        return [load_image(path)]
    return [load_image(name) for name in pictures_in(
        path, [f".{extension.lower()}"], "Say with --ext how the names of the pictures end.")]


def save_scores(path: str, scores: np.ndarray) -> None:
    """Write scores to a ``.npy`` file, whose name gets that ending if it lacks it.

    Raises:
        DataError: the file cannot be written.
    """
    path = path if path.endswith(".npy") else f"{path}.npy"
    with new_file(path, DataError, "the scores", "wb") as file:
        np.save(file, scores)


def numbers(text: str, count: int | None = None) -> list[int] | None:
    """Return the whole numbers of a list with commas; None for an empty one.

    Args:
        count: how many there must be.

    Raises:
        UsageError: other numbers, or another number of them.
    """
    if not text:
        return None
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words) or count not in (None, len(words)):
        raise UsageError("a list of whole numbers is wanted", got=text,
                         wanted=f"{count} numbers" if count else "numbers with commas between")
    return [int(word) for word in words]
