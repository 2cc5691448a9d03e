"""``caffe-lrcn features``: write what a convnet sees in pictures to a file."""
from __future__ import annotations

import argparse
from pathlib import Path

from . import runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("pictures", nargs="*", metavar="IMAGE",
                        help="picture files, or folders of them")
    parser.add_argument("--images", type=Path, metavar="LIST",
                        help="a file that lists pictures, one per line")
    parser.add_argument("--net", required=True,
                        help="deploy definition: one input (N, C, H, W), one output")
    parser.add_argument("--weights", required=True, type=Path, help="trained weights")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.npy",
                        help="gets one row per picture, in their order")
    runtime.add_picture_flags(parser)
    runtime.add_device_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Write the features; return the exit code."""
    import numpy as np

    from ..errors import DataError, UsageError
    from ..files import check_output, new_file
    from ..paths import resolve
    from ..sources.folder import expand
    from ..tasks.captioning.pictures import FeatureNet, read_list
    pictures = [*expand(args.pictures), *(read_list(args.images) if args.images else [])]
    if not pictures:
        raise UsageError("pictures are missing", wanted="picture files, folders or --images LIST")
    check_output(args.out, DataError, "the features")
    net = FeatureNet(resolve(args.net), args.weights, resize=args.resize,
                     mean=runtime.mean(args.mean), backend=runtime.open_backend(args))
    with runtime.quiet_arithmetic():
        features = net.features(pictures)
    with new_file(args.out, DataError, "the features", "wb") as file:
        np.save(file, features)
    print(f"{len(features)} pictures, {features.shape[1]} features each, in {args.out}")
    return 0
