#!/usr/bin/env python3
"""Write the seconds from the start of training to each iteration told: extract_seconds.py LOG OUT.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the arguments of Caffe's extract_seconds.py."""
    flags = Parser(__doc__)
    flags.add_argument("input_file")
    flags.add_argument("output_file")
    return flags


def work(args: argparse.Namespace) -> None:
    """Write one number a line."""
    from caffe_lrcn.caffe_tools.log_times import elapsed_seconds
    from caffe_lrcn.errors import UsageError
    seconds = elapsed_seconds(args.input_file)
    try:
        with open(args.output_file, "w", encoding="ascii") as file:
            file.writelines(f"{value:f}\n" for value in seconds)
    except OSError as error:
        raise UsageError("the seconds cannot be written", where=args.output_file,
                         got=error.strerror) from None


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
