"""``caffe-lrcn data flow``: write the optical flow between frames to folders."""
from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import UsageError
from . import data_frames, runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("frames", type=Path, metavar="FRAMES",
                        help="what 'data frames' wrote: a folder with a folder for each video")
    data_frames.add_folder_flags(parser)
    parser.add_argument("--method", choices=("brox", "dis", "tvl1"), default="brox",
                        help="brox: Brox et al. 2004, as in the paper; dis, tvl1: OpenCV's, if it "
                             "is installed (%(default)s)")
    parser.add_argument("--scale", type=float, default=16.0,
                        help="grey levels per pixel of motion (%(default)g)")
    runtime.add_device_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Write the flow; return the exit code."""
    from ..tasks.activity.extract import make_folders
    from ..tasks.activity.flow import brox, opencv
    from ..tasks.activity.jobs import find_frames
    from ..tasks.activity.recipes import FlowRecipe
    data_frames.check_folder_flags(args)
    if not args.scale > 0:
        raise UsageError("--scale must be positive", got=args.scale)
    method = brox(runtime.open_backend(args)) if args.method == "brox" else opencv(args.method)
    outcome = make_folders(find_frames(args.frames), args.out,
                           FlowRecipe(method, args.scale, args.quality), force=args.force,
                           strict=args.strict, threads=args.jobs, report=runtime.report)
    return data_frames.finish(outcome, args.out)
