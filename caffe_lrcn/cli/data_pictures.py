"""``caffe-lrcn data pictures``: list the pictures of a caption file or of a split."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import DataError, UsageError
from ..files import new_file
from ..printable import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--format", required=True, choices=("coco", "flickr"),
                        help="form of --captions")
    parser.add_argument("--captions", required=True, type=Path,
                        help="the caption file; COCO's may be without captions, as that of the "
                             "test pictures is")
    parser.add_argument("--images", required=True, type=Path, help="folder of the pictures")
    add_anywhere(parser)
    parser.add_argument("--ids", nargs="+", type=Path, metavar="FILE",
                        help="only these pictures: COCO ids or Flickr file names, one per line")
    parser.add_argument("--out", required=True, type=Path, metavar="LIST",
                        help="gets the paths, one per line, in the order of --captions")


def add_anywhere(parser: argparse.ArgumentParser) -> None:
    """Declare the flag that lets a caption file name pictures outside their folder."""
    parser.add_argument("--anywhere", action="store_true",
                        help="let the caption file name pictures outside the folder (../x.jpg, "
                             "/x.jpg), which is an error otherwise")


def run(args: argparse.Namespace) -> int:
    """Write the list; return the exit code."""
    from ..language.caption_files import picture_path, read_keys, read_pictures
    if not args.images.is_dir():
        raise UsageError("there is no such folder of pictures", got=args.images)
    keys = set().union(*map(read_keys, args.ids)) if args.ids else None
    paths = [picture_path(args.images, name, args.captions, args.anywhere)
             for name in read_pictures(args.format, args.captions, keys).values()]
    there = [path for path in paths if path.is_file()]
    if len(there) < len(paths):
        first = next(path for path in paths if not path.is_file())
        print(f"warning: skipped {len(paths) - len(there)} missing pictures, the first "
              f"{printable(str(first))}", file=sys.stderr)
    if not there:
        raise DataError("no picture is there", where=args.images, remedy="Check --images.")
    with new_file(args.out, DataError, "the list") as file:
        file.writelines(f"{path}\n" for path in there)
    print(f"{len(there)} pictures in {args.out}")
    return 0
