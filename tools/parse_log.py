#!/usr/bin/env python3
"""Write what a training log tells as tables: parse_log.py LOGFILE OUTPUT_DIR [flags].

LOGFILE.train and LOGFILE.test have a row for each time that the outputs of the training or the
test net were told.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the flags of Caffe's parse_log.py."""
    flags = Parser(__doc__)
    flags.add_argument("logfile_path")
    flags.add_argument("output_dir")
    flags.add_switch("verbose", "say which files are written")
    flags.add_argument("--delimiter", default=",", help="between the columns (default: a comma)")
    return flags


def work(args: argparse.Namespace) -> None:
    """Write the tables."""
    from caffe_lrcn.caffe_tools.log_tables import parse_log, write_tables
    from caffe_lrcn.errors import UsageError
    if len(args.delimiter) != 1:
        raise UsageError("a delimiter is one character", got=repr(args.delimiter))
    tables = parse_log(args.logfile_path)
    try:
        paths = write_tables(tables, args.logfile_path, args.output_dir, args.delimiter)
    except OSError as error:
        raise UsageError("the tables cannot be written", where=args.output_dir,
                         got=error.strerror) from None
    if args.verbose:
        print("\n".join(f"Wrote {path}" for path in paths))


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
