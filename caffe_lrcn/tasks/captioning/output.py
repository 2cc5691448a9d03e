"""What ``caffe-lrcn caption`` writes: lines of text, COCO results and a web page."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from ...errors import DataError, UsageError
from .gallery import Captioned, write_gallery

#: A page has room for so many captions of a picture, whatever --top says.
_ON_PAGE = 5


def check_output(args: argparse.Namespace, names: Sequence[str]) -> None:
    """Find what would fail after all the work: image ids that are missing, folders too.

    Raises:
        UsageError: ``--top`` or the image ids make no sense.
        DataError: a file cannot be written, or the references not read.
    """
    if args.top < 1:
        raise UsageError("--top must be 1 or more", got=args.top)
    if args.references and not args.json:
        raise UsageError("--references gives the ids for --json", wanted="--json FILE")
    for path in filter(None, (args.json, args.html)):
        if not path.parent.is_dir() or path.is_dir():
            raise DataError("cannot write there", where=path, got="no such folder"
                            if not path.is_dir() else "a folder")
    if args.json and names:
        from ...language.result_files import image_ids
        image_ids(names, args.references)


def write_outputs(args: argparse.Namespace, pictures: Sequence[Captioned]) -> None:
    """Print the captions and write the files that the flags name."""
    captioned = [picture for picture in pictures if not picture.error]
    for picture in captioned:
        print(f"{picture.name}: {picture.captions[0][1]}")
        for log_prob, sentence in picture.captions[1:args.top]:
            print(f"    {log_prob:8.2f}  {sentence}")
    if args.json:
        from ...language.result_files import image_ids, write_results
        ids = image_ids([picture.name for picture in captioned], args.references)
        write_results(args.json, ids, [picture.captions[0][1] for picture in captioned])
    if args.html:
        _write_page(args, pictures)


def _write_page(args: argparse.Namespace, pictures: Sequence[Captioned]) -> None:
    shown = max(args.top, _ON_PAGE)
    entries = [replace(picture, captions=picture.captions[:shown]) for picture in pictures]
    count = sum(not picture.error for picture in pictures)
    write_gallery(args.html, "Captions", f"{args.weights.name}, {args.strategy}; {count} of "
                                         f"{len(pictures)} pictures captioned.", entries)
