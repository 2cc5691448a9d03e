"""Flags of ``caffe-lrcn data frames --clips``, and what it writes."""
from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..printable import printable
from . import runtime

if TYPE_CHECKING:
    from ..tasks.activity.clip_files import ClipRecipe

_DEFAULTS = {"root_folder": "", "clip_length": 16, "frame_stride": 1, "batch_size": 24,
             "flow": False, "crop_size": 0, "mirror": False, "shuffle": False, "phase": "TRAIN",
             "epochs": 1, "seed": 1}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags; those that are not given are None."""
    group = parser.add_argument_group(
        "clips in HDF5 files, as the layer VideoData would read them")
    number = partial(runtime.at_least, 1)
    group.add_argument("--clips", metavar="LIST",
                       help="write clips of the videos of a list, lines of video and class, "
                            "instead of folders")
    group.add_argument("--root-folder", metavar="FOLDER",
                       help="where its videos are: folders of frames or of flow, or video files")
    group.add_argument("--clip-length", type=number, metavar="T", help="frames in a clip (16)")
    group.add_argument("--frame-stride", type=number, metavar="S",
                       help="from one frame of a clip to the next (1)")
    group.add_argument("--batch-size", type=number, metavar="N", help="clips in a batch (24)")
    for name, text in (("--flow", "the folders hold flow"),
                       ("--mirror", "mirror half of the clips"),
                       ("--shuffle", "take the videos in a new order in each epoch")):
        group.add_argument(name, action="store_true", default=None, help=text)
    group.add_argument("--crop-size", type=number, metavar="PIXELS", help="side of a square crop")
    group.add_argument("--phase", choices=("TRAIN", "TEST"),
                       help="TRAIN draws starts and crops, TEST takes those in the middle (TRAIN)")
    group.add_argument("--epochs", type=number, metavar="E", help="clips of each video (1)")
    group.add_argument("--seed", type=partial(runtime.at_least, 0), help="of all draws (1)")


def check(args: argparse.Namespace) -> None:
    """See that the flags and the videos on the command line go together."""
    if args.clips is None:
        given = [name for name in _DEFAULTS if getattr(args, name) is not None]
        if given:
            raise UsageError(f"--{given[0].replace('_', '-')} is for --clips")
        if not args.videos:
            raise UsageError("no video is given", wanted="video files or folders, or --clips LIST")
    elif args.videos:
        raise UsageError("with --clips the list names the videos", got=str(args.videos[0]),
                         remedy="--root-folder says where they are")


def recipe(args: argparse.Namespace, size: tuple[int, int] | None) -> ClipRecipe:
    """Return which clips are wanted."""
    from ..proto.caffe_pb2 import Phase
    from ..tasks.activity.clip_files import ClipRecipe
    chosen = {name: default if getattr(args, name) is None else getattr(args, name)
              for name, default in _DEFAULTS.items()}
    chosen["phase"] = Phase.Value(chosen["phase"])
    return ClipRecipe(args.clips, size=size, rate=args.rate, **chosen)


def write(args: argparse.Namespace, size: tuple[int, int] | None) -> int:
    """Write the clips; return the exit code."""
    from ..tasks.activity.clip_files import LIST, write_clips
    wanted = recipe(args, size)
    written = write_clips(wanted, args.out, force=args.force, report=runtime.report,
                          workers=args.jobs if args.jobs > 1 else 0)
    print(f"{written.batches} batches of {wanted.batch_size} clips of {wanted.clip_length} frames "
          f"in {printable(str(args.out))}; {written.made} files written, {written.kept} were there "
          "already")
    print(f"HDF5Data reads them with source: '{printable(str(args.out / LIST))}' and batch_size: "
          f"{wanted.batch_size * wanted.clip_length} for data, {wanted.clip_length} for label and "
          "clip_markers")
    return 0
