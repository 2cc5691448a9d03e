"""What commands that caption or describe write: lines of text, COCO results and a web page."""
from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace

from ... import files
from ...errors import DataError, UsageError
from .gallery import Captioned, write_gallery

#: A page has room for so many captions of a picture, whatever --top says.
_ON_PAGE = 5


def check_output(args: argparse.Namespace, names: Sequence[str], named: bool = False) -> None:
    """Find what would fail after all the work: ids that are missing, files that cannot be written.

    Args:
        args: the flags.
        names: of what is captioned.
        named: without ``--references`` the names are the ids.

    Raises:
        UsageError: ``--top`` or the image ids make no sense.
        DataError: a file cannot be written, or the references not read.
    """
    if args.top < 1:
        raise UsageError("--top must be 1 or more", got=args.top)
    if args.references and not args.json:
        raise UsageError("--references gives the ids for --json", wanted="--json FILE")
    for path, what in ((args.json, "the results"), (args.html, "the page")):
        if path:
            files.check_output(path, DataError, what)
    if args.json and names:
        _ids(args, names, named)


def write_outputs(args: argparse.Namespace, pictures: Sequence[Captioned], named: bool = False,
                  write_page: Callable[[Sequence[Captioned]], None] | None = None) -> None:
    """Write the files that the flags name, and print the captions.

    Args:
        args: the flags.
        pictures: what is captioned.
        named: as for ``check_output``.
        write_page: writes the page; by default it is one with the pictures. It gets no more
            captions of each than a page has room for.
    """
    try:
        if args.json:
            _write_results(args, pictures, named)
        if args.html:
            shown = max(args.top, _ON_PAGE)
            entries = [replace(picture, captions=picture.captions[:shown]) for picture in pictures]
            if write_page is None:
                _write_gallery(args, entries)
            else:
                write_page(entries)
    finally:  # a reader like `head` must not cost the files, nor a full disk the captions
        for picture in pictures:
            if not picture.error:
                print(f"{picture.name}: {picture.captions[0][1]}")
            for log_prob, sentence in picture.captions[1:args.top]:
                print(f"    {log_prob:8.2f}  {sentence}")


def _ids(args: argparse.Namespace, names: Sequence[str], named: bool) -> list[int | str]:
    from ...language.result_files import image_ids
    return [*names] if named and not args.references else image_ids(names, args.references)


def _write_results(args: argparse.Namespace, pictures: Sequence[Captioned], named: bool) -> None:
    from ...language.result_files import tell_names, write_results
    ids = _ids(args, [picture.name for picture in pictures], named)
    found = [(number, picture.captions[0][1])
             for number, picture in zip(ids, pictures, strict=True) if not picture.error]
    write_results(args.json, [number for number, _ in found], [text for _, text in found])
    if not args.references and not named:
        tell_names(args.json, ids, "--references")


def _write_gallery(args: argparse.Namespace, pictures: Sequence[Captioned]) -> None:
    count = sum(not picture.error for picture in pictures)
    write_gallery(args.html, "Captions", f"{args.weights.name}, {args.strategy}; {count} of "
                                         f"{len(pictures)} pictures captioned.", pictures)
