"""``caffe-lrcn features``: write what a convnet sees in pictures to a file."""
from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import runtime

if TYPE_CHECKING:
    from ..tasks.captioning.pictures import FeatureNet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("pictures", nargs="*", metavar="IMAGE",
                        help="picture files, or folders of them")
    parser.add_argument("--images", type=Path, metavar="LIST",
                        help="a file that lists pictures, one per line")
    parser.add_argument("--videos", nargs="+", type=Path, metavar="PATH",
                        help="instead of pictures: video files, folders of them, or folders with "
                             "folders of frames")
    parser.add_argument("--stride", type=partial(runtime.at_least, 1), default=10, metavar="N",
                        help="with --videos: take one frame in N (%(default)s)")
    parser.add_argument("--net", required=True,
                        help="deploy definition: one input (N, C, H, W), one output")
    parser.add_argument("--weights", required=True, type=Path, help="trained weights")
    parser.add_argument("--blob", metavar="NAME",
                        help="take this blob, such as fc7 (default: the net's output)")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE",
                        help=".npy: gets one row per picture, in their order; of videos .h5: a "
                             "dataset for each, or .csv: lines <video>_<frame>,<numbers>")
    runtime.add_picture_flags(parser)
    runtime.add_device_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Write the features; return the exit code."""
    import numpy as np

    from ..errors import DataError, UsageError
    from ..files import check_output, new_file
    from ..sources.folder import expand
    from ..tasks.captioning.pictures import read_list
    if args.videos:
        return _of_videos(args)
    pictures = [*expand(args.pictures), *(read_list(args.images) if args.images else [])]
    if not pictures:
        raise UsageError("pictures are missing", wanted="picture files, folders, --images LIST "
                                                        "or --videos PATH")
    check_output(args.out, DataError, "the features")
    net = _open_net(args)
    with runtime.quiet_arithmetic():
        features = net.features(pictures)
    with new_file(args.out, DataError, "the features", "wb") as file:
        np.save(file, features)
    print(f"{len(features)} pictures, {features.shape[1]} features each, in {args.out}")
    return 0


def _of_videos(args: argparse.Namespace) -> int:
    from ..errors import DataError, UsageError
    from ..files import check_output
    from ..tasks.description.video_features import check_names, find_clips, write_video_features
    if args.pictures or args.images:
        raise UsageError("pictures and --videos exclude each other")
    videos = find_clips(args.videos)
    check_names(args.out, videos)
    check_output(args.out, DataError, "the features")
    net = _open_net(args)
    with runtime.quiet_arithmetic():
        rows, width = write_video_features(net, videos, args.stride, args.out, runtime.report)
    print(f"{len(videos)} videos, {rows} frames, {width} features each, in {args.out}")
    return 0


def _open_net(args: argparse.Namespace) -> FeatureNet:
    from ..paths import resolve
    from ..tasks.captioning.pictures import FeatureNet
    return FeatureNet(resolve(args.net), args.weights, resize=args.resize,
                      mean=runtime.mean(args.mean), backend=runtime.open_backend(args),
                      blob=args.blob)
