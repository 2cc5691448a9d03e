"""``caffe-lrcn neighbours``: caption pictures with those of the nearest training pictures."""
from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..errors import DataError
from ..printable import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    train = parser.add_argument_group("training pictures")
    train.add_argument("--features", required=True, type=Path, metavar="FILE.npy",
                       help="their features (P, F), as 'caffe-lrcn features' writes them")
    train.add_argument("--captions", required=True, type=Path, metavar="FILE",
                       help="their captions")
    train.add_argument("--format", choices=("coco", "flickr"), default="coco",
                       help="form of --captions (%(default)s)")
    train.add_argument("--images", type=Path, metavar="LIST",
                       help="which picture each row of --features is of: a list, or the folder "
                            "(the order of --captions)")
    queries = parser.add_argument_group("pictures to caption")
    queries.add_argument("--queries", required=True, type=Path, metavar="FILE.npy",
                         help="their features (Q, F)")
    queries.add_argument("--query-images", type=Path, metavar="LIST",
                         help="which picture each row of --queries is of: a list, or the "
                              "folder (the order of --query-captions)")
    queries.add_argument("--query-captions", type=Path, metavar="FILE",
                         help="COCO file with their ids; its captions, if any, are not used")
    parser.add_argument("--neighbours", type=int, default=90, metavar="K",
                        help="nearest pictures whose captions are candidates (%(default)s)")
    parser.add_argument("--best", type=int, default=125, metavar="M",
                        help="a candidate is scored by the M others most like it (%(default)s)")
    parser.add_argument("--similarity", choices=("cider-d", "bleu-4"), default="cider-d",
                        help="of two captions (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write COCO results")


def run(args: argparse.Namespace) -> int:
    """Print ``picture: caption`` for each; return 1 if some have no neighbour with captions."""
    from ..files import check_output
    from ..language.result_files import tell_names, write_results
    from ..tasks.captioning.neighbours import Consensus, nearest
    from ..tasks.captioning.pictures import read_features
    if args.json:
        check_output(args.json, DataError, "the results")
    captions = _training_captions(args)
    names, ids = _queries(args)
    rows = nearest(read_features(args.features, len(captions)),
                   read_features(args.queries, len(names)), args.neighbours)
    consensus = Consensus(captions, args.similarity, args.best)
    found = []
    gone: BrokenPipeError | None = None
    for name, number, pictures in zip(names, ids, rows, strict=True):
        chosen = consensus.caption(pictures)
        if chosen is None:
            print(f"error: {printable(name)}: its nearest pictures have no captions",
                  file=sys.stderr)
        else:
            found.append((number, chosen[0]))
            try:
                if gone is None:
                    print(f"{name}: {chosen[0]}", flush=True)
            except BrokenPipeError as error:  # a reader like `head` must not cost the file
                if not args.json:
                    raise
                gone = error
    if args.json:
        write_results(args.json, [number for number, _ in found], [text for _, text in found])
        if not args.query_captions:
            tell_names(args.json, ids, "--query-captions")
    if gone is not None:
        raise gone
    return 0 if len(found) == len(names) else 1


def _training_captions(args: argparse.Namespace) -> list[list[str]]:
    """Return the captions of each row of ``--features``."""
    from ..language.caption_files import read_captions, read_pictures
    from ..tasks.captioning.pictures import read_list
    by_picture: dict[str, list[str]] = {
        name: [] for name in read_pictures(args.format, args.captions).values()}
    for caption in read_captions(args.format, args.captions):
        by_picture[caption.picture].append(" ".join(caption.text.split()))
    if args.images is None:
        return list(by_picture.values())
    found = []
    for picture in read_list(args.images):
        name = picture if picture in by_picture else os.path.basename(picture)
        if name not in by_picture:
            raise DataError("a picture that the captions do not name", where=args.images,
                            got=picture, remedy=f"Check --format and {args.captions}.")
        found.append(by_picture[name])
    return found


def _queries(args: argparse.Namespace) -> tuple[list[str], list[int | str]]:
    """Return names and COCO ids of the rows of ``--queries``."""
    from ..errors import UsageError
    from ..language.caption_files import read_pictures
    from ..language.result_files import image_ids
    from ..tasks.captioning.pictures import read_list
    if args.query_images is not None:
        names = read_list(args.query_images)
    elif args.query_captions is not None:
        names = list(read_pictures("coco", args.query_captions).values())
    else:
        raise UsageError("nothing tells which pictures --queries is of",
                         wanted="--query-images or --query-captions")
    return names, image_ids(names, args.query_captions)
