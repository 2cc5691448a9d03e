"""``caffe-lrcn data frames``: write the pictures of videos to folders, or clips to HDF5 files."""
from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import clip_flags, runtime

if TYPE_CHECKING:
    from ..tasks.activity.extract import Outcome

_SIZE = re.compile(r"(\d+)x(\d+)", re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO",
                        help="video files, or folders that are searched for them")
    add_folder_flags(parser)
    parser.add_argument("--rate", type=float, metavar="FPS",
                        help="pictures per second (default: every picture of the file once)")
    parser.add_argument("--size", metavar="HEIGHTxWIDTH",
                        help="resize every picture, such as 240x320 (default: as in the file; "
                             "of clips, small pictures become 240x320)")
    clip_flags.add_arguments(parser)


def add_folder_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags about what is written and how."""
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    parser.add_argument("--quality", type=int, default=95, metavar="Q",
                        help="of the JPEG files, 1 to 95 (%(default)s)")
    parser.add_argument("--strict", action="store_true",
                        help="stop at the first broken video instead of skipping it")
    parser.add_argument("--force", action="store_true",
                        help="make folders anew that were made with other flags")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="videos at once (%(default)s)")


def check_folder_flags(args: argparse.Namespace) -> None:
    """Check the flags about what is written."""
    if not 1 <= args.quality <= 95:
        raise UsageError("--quality must lie between 1 and 95", got=args.quality)
    if args.jobs < 1:
        raise UsageError("--jobs must be positive", got=args.jobs)


def run(args: argparse.Namespace) -> int:
    """Write the frames or clips; return the exit code."""
    from ..tasks.activity.extract import make_folders
    from ..tasks.activity.jobs import find_videos
    from ..tasks.activity.recipes import FrameRecipe
    check_folder_flags(args)
    clip_flags.check(args)
    if args.rate is not None and not 0 < args.rate <= 1000:
        raise UsageError("--rate must be positive, at most 1000", got=args.rate)
    if args.clips is not None:
        return clip_flags.write(args, size(args.size))
    recipe = FrameRecipe(args.rate, args.quality, size(args.size))
    outcome = make_folders(find_videos(args.videos), args.out, recipe, force=args.force,
                           strict=args.strict, threads=args.jobs, report=runtime.report)
    return finish(outcome, args.out)


def finish(outcome: Outcome, out: Path) -> int:
    """Print what was done; return the exit code."""
    print(f"{outcome.made} folders with {outcome.pictures} pictures in {out}; {outcome.kept} were "
          f"there already; {len(outcome.broken)} videos are broken")
    return 1 if outcome.broken and not outcome.made + outcome.kept else 0


def size(text: str | None) -> tuple[int, int] | None:
    """Return the (height, width) of ``--size``; None without it."""
    if text is None:
        return None
    match = _SIZE.fullmatch(text)
    if not match or not all(0 < int(side) <= 16384 for side in match.groups()):
        raise UsageError("--size takes a height and a width", got=text, wanted="such as 240x320")
    return int(match[1]), int(match[2])
