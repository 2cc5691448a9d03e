"""``caffe-lrcn rank``: a page on which people rank captions, and a report of their ranks."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import DataError, UsageError

if TYPE_CHECKING:
    from ..tasks.ranking.report import Report
    from ..tasks.ranking.store import Store
    from ..tasks.ranking.study import Study

_PORT = 8765


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their flags."""
    commands = parser.add_subparsers(dest="rank_command", metavar="COMMAND", required=True)
    _add_serve(commands.add_parser(
        "serve", help="a page on this machine on which people rank captions",
        description="Serve a page, to this machine only, that shows a picture or a clip with the "
                    "captions of several systems in random order, and write the ranks to STUDY. "
                    "The first time makes the study; later ones go on with it. Ctrl-C ends it."))
    _add_report(commands.add_parser(
        "report", help="mean ranks of the systems, and how far the judges agree",
        description="Print the mean rank of each system (1 is best) with its confidence interval, "
                    "and the agreement of the judges."))


def run(args: argparse.Namespace) -> int:
    """Run the sub-command; return the exit code."""
    return _serve(args) if args.rank_command == "serve" else _report(args)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, metavar="STUDY",
                        help="SQLite file of the systems' sentences and the ranks")
    parser.add_argument("--systems", nargs="+", metavar="NAME=FILE",
                        help="two to nine systems and their sentences: COCO results or captions "
                             "(.json), or text with lines id<TAB>sentence; needed the first time")
    parser.add_argument("--media", type=Path, metavar="DIR",
                        help="folder of the pictures or clips; needed the first time, later if it "
                             "has moved")
    parser.add_argument("--ids", type=Path, metavar="FILE",
                        help="COCO captions file that has the ids with the names of files (by "
                             "default an id is a file name, or the last number in one)")
    parser.add_argument("--items", type=int, metavar="N",
                        help="take N of the pictures or clips at random (default: all)")
    parser.add_argument("--seed", type=int, default=0,
                        help="of that, and of the order of the sentences (%(default)s)")
    parser.add_argument("--port", type=int, default=_PORT,
                        help="port of the page (%(default)s; 0: a free one)")


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, metavar="STUDY", help="what 'rank serve' has written")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all numbers to this file")
    parser.add_argument("--html", type=Path, metavar="OUT", help="write a page with bars")
    parser.add_argument("--confidence", type=float, default=95, metavar="PERCENT",
                        help="of the intervals (%(default)g)")
    parser.add_argument("--samples", type=int, default=10_000, metavar="N",
                        help="samples of the bootstrap that the intervals come from (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of these samples (%(default)s)")


def _serve(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    open_server = _web().open_server
    if not 0 <= args.port < 1 << 16:
        raise UsageError("there is no such port", got=args.port, wanted="0 to 65535")
    store = _study(args)
    store.check_writable()
    server, scratch = open_server(store, store.media, args.port)
    with scratch:
        print(f"{len(store.study.items)} items, {len(store.study.systems)} systems; study "
              f"{store.study.id}\nhttp://127.0.0.1:{server.port}/ is the page. Ctrl-C ends it.",
              flush=True)
        server.serve_forever()  # returns at Ctrl-C
    judges = store.judges()
    print(f"\n{sum(judge.done for judge in judges)} rankings of {len(judges)} "
          f"judge{'' if len(judges) == 1 else 's'} are in {args.study}")
    return 0


def _web() -> ModuleType:
    """Return the module that needs Flask."""
    try:
        import flask  # noqa: F401
    except ImportError as error:
        from ..errors import BackendError
        from ..hints import install
        raise BackendError("the page needs Flask, which is not installed",
                           remedy=install("rank")) from error
    from ..tasks.ranking import app
    return app


def _study(args: argparse.Namespace) -> Store:
    """Return the study, made of the flags if it is new."""
    from ..tasks.ranking.media import check_media
    from ..tasks.ranking.store import Store
    if args.systems is None:
        _refuse_flags_of_new_studies(args)
        store = Store(args.study)
        if args.media:
            store.move_media(args.media)
        check_media(store.media, [item.file for item in store.study.items])
        return store
    if args.media is None:
        raise UsageError("--media is missing", wanted="the folder of the pictures or clips")
    if args.items is not None and args.items < 1:
        raise UsageError("--items must be positive", got=args.items)
    study = _new_study(args)
    check_media(args.media, [item.file for item in study.items])
    store = Store.create(args.study, study, args.media)
    store.move_media(args.media)
    return store


def _refuse_flags_of_new_studies(args: argparse.Namespace) -> None:
    if not args.study.exists():
        raise UsageError("there is no such study yet", where=args.study,
                         remedy="Give --systems and --media to make it.")
    for flag, given in (("--ids", args.ids), ("--items", args.items), ("--seed", args.seed)):
        if given:
            raise UsageError(f"{flag} is for a new study", remedy="Give --systems, too.")


def _new_study(args: argparse.Namespace) -> Study:
    from ..language.caption_files import read_pictures
    from ..tasks.ranking.media import MediaFolder
    from ..tasks.ranking.study import name_systems, read_study
    names = read_pictures("coco", args.ids) if args.ids else None
    study, left_out = read_study(name_systems(args.systems), MediaFolder(args.media), names,
                                 args.items, args.seed)
    for count, why in ((left_out.unsaid, "not every system says something about"),
                       (left_out.same, "all systems say the same about")):
        if count:
            print(f"note: {count} left out, since {why} {'it' if count == 1 else 'them'}",
                  file=sys.stderr)
    return study


def _report(args: argparse.Namespace) -> int:
    """Print the table and write the files."""
    from ..files import check_output
    from ..tasks.ranking.report import make_report
    from ..tasks.ranking.store import Store
    if not 0 < args.confidence < 100:
        raise UsageError("--confidence lies between 0 and 100", got=args.confidence)
    if args.samples < 1:
        raise UsageError("--samples must be positive", got=args.samples)
    for path in (args.json, args.html):
        if path:
            check_output(path, DataError, "the report")
    store = Store(args.study)
    report = make_report(store.study, store.judges(), store.ranks(), args.confidence / 100,
                         args.samples, args.seed)
    try:
        if args.json:
            _write_json(args.json, report)
        if args.html:
            from ..tasks.ranking.report_page import write_page
            write_page(args.html, report)
    finally:  # a reader like `head` must not cost the files, nor a full disk the table
        print(_table(report))
    return 0


def _write_json(path: Path, report: Report) -> None:
    import json

    from ..files import new_file
    with new_file(path, DataError, "the report") as file:
        file.write(json.dumps(report.to_dict(), indent=1) + "\n")


def _table(report: Report) -> str:
    from ..tasks.ranking.report import agreements, counted
    head, *agreed = agreements(report)
    rows = [head, *([system, *(criterion.cell(place) for criterion in report.criteria)]
                    for place, system in enumerate(report.systems)), [], *agreed]
    widths = [max(len(row[column]) for row in rows if row) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
             for row in rows]
    return "\n".join([*counted(report), "", *lines])
