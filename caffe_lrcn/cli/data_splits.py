"""``caffe-lrcn data splits``: lists of videos for training and testing."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError, UsageError
from ..printable import printable

if TYPE_CHECKING:
    from ..tasks.activity.lists import Split, Video


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("source", type=Path, metavar="FOLDER",
                        help="UCF101's or HMDB51's lists, or a folder of videos for each class")
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    parser.add_argument("--split", nargs="+", type=int, metavar="N",
                        help="only these splits (default: all)")
    parser.add_argument("--root", type=Path, metavar="DIR",
                        help="check that the videos, or folders of their frames, are there")
    parser.add_argument("--skip-missing", action="store_true",
                        help="leave out videos that are not below --root")
    parser.add_argument("--test-fraction", type=float, metavar="F",
                        help="for a folder of class folders: keep this share for the tests")
    parser.add_argument("--val-fraction", type=float, metavar="F",
                        help="also divide each training list, by groups of clips of one film; "
                             "0.333 as in the paper")
    parser.add_argument("--shuffle", action="store_true", help="write training lists in random "
                        "order, for readers that go through them as they are")
    parser.add_argument("--seed", type=int, default=3, help="of division and order (3)")
    parser.add_argument("--force", action="store_true", help="replace what is there")


def run(args: argparse.Namespace) -> int:
    """Write the lists; return the exit code."""
    from ..tasks.activity.lists import write_classes, write_list
    from ..tasks.activity.official_lists import read_data_set
    _check(args)
    data = read_data_set(args.source)
    splits = {number: _parts(split, args) for number, split in data.splits.items()
              if not args.split or number in args.split}
    for number in args.split or ():
        if number not in splits:
            raise UsageError(f"split {number} does not exist", where=args.source,
                             wanted=", ".join(map(str, data.splits)))
    if args.root:
        splits = _present(splits, args)
    files = {args.out / f"{name}{number}.txt": videos for number, parts in splits.items()
             for name, videos in parts.items()}
    names = args.out / "classes.txt"
    for path in (names, *files):
        if path.exists() and not args.force:
            raise DataError("the list is there already", where=path,
                            remedy="Say --force to replace it, or choose another --out.")
    write_classes(names, data.classes)
    print(f"{data.kind}: {len(data.classes)} classes in {printable(str(names))}")
    for path, videos in files.items():
        write_list(path, videos)
        print(f"{len(videos)} videos of {len({video.label for video in videos})} classes in "
              f"{printable(str(path))}")
    return 0


def _check(args: argparse.Namespace) -> None:
    for flag, value in (("--test-fraction", args.test_fraction),
                        ("--val-fraction", args.val_fraction)):
        if value is not None and not 0 < value < 1:
            raise UsageError(f"{flag} must lie between 0 and 1", got=value)
    if args.root and not args.root.is_dir():
        raise UsageError("the folder of videos does not exist", got=args.root)
    if args.skip_missing and not args.root:
        raise UsageError("--skip-missing needs --root")


def _parts(split: Split, args: argparse.Namespace) -> Split:
    """Return the lists to write by name; those without videos are left out."""
    from ..tasks.activity.lists import divide, group_of, shuffled
    train, test = split["train"], split["test"]
    if args.test_fraction is not None:
        if test:
            raise UsageError("--test-fraction is for folders of class folders",
                             remedy="These lists say what is for the tests.")
        train, test = divide(train, args.test_fraction, args.seed)
    parts = {"train": train, "test": test}
    divided = args.test_fraction is not None or args.val_fraction is not None
    if divided and len({(video.label, group_of(video.name)) for video in train}) == len(train):
        print("note: the names do not tell which clips are of one film; each is taken for itself",
              file=sys.stderr)
    if args.val_fraction is not None:
        parts["fit"], parts["val"] = divide(train, args.val_fraction, args.seed)
    if args.shuffle:
        parts |= {name: shuffled(parts[name], args.seed) for name in ("train", "fit")
                  if name in parts}
    for name, videos in parts.items():
        if not videos and (name != "test" or args.test_fraction is not None):
            raise UsageError("one of the parts is empty", got=name,
                             remedy="Choose another fraction; clips of one film stay together.")
    return {name: videos for name, videos in parts.items() if videos}


def _present(splits: dict[int, Split], args: argparse.Namespace) -> dict[int, Split]:
    """Return the splits with the videos that are there; lists without any are left out.

    Raises:
        DataError: some are not there, and are not to be skipped; or none is there.
    """
    from ..tasks.activity.lists import missing
    videos = list(dict.fromkeys(video for parts in splits.values() for part in parts.values()
                                for video in part))
    absent: list[Video] = missing(videos, args.root)
    if not absent:
        return splits
    text = f"{len(absent)} of {len(videos)} videos are not there, the first {absent[0].name}"
    if not args.skip_missing or len(absent) == len(videos):
        skip = "" if args.skip_missing else ", or leave them out with --skip-missing"
        raise DataError(text, where=args.root, remedy=f"Check --root{skip}.")
    print(f"warning: {printable(text)}; they are left out", file=sys.stderr)
    gone = set(absent)
    kept = {number: {name: [video for video in part if video not in gone]
                     for name, part in parts.items()} for number, parts in splits.items()}
    empty = [f"{name}{number}.txt" for number, parts in kept.items()
             for name, part in parts.items() if not part]
    if empty:
        print(f"warning: none of their videos is there, so these lists are not written: "
              f"{', '.join(empty)}", file=sys.stderr)
    return {number: {name: part for name, part in parts.items() if part}
            for number, parts in kept.items()}
