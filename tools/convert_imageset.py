#!/usr/bin/env python3
"""Store pictures and labels in a database: convert_imageset.py [flags] ROOTFOLDER/ LISTFILE DB.

LISTFILE has one picture a line: its name, a space, an integer label. ROOTFOLDER/ is put before
every name as it is.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the flags of Caffe's convert_imageset, and the seed of its shuffling."""
    flags = Parser(__doc__)
    for name in ("root", "list", "database"):
        flags.add_argument(name)
    flags.add_switch("gray", "store one channel instead of BGR")
    flags.add_switch("shuffle", "store pictures in a random order")
    flags.add_argument("--seed", type=int, default=1, help="of the random order")
    flags.add_argument("--backend", default="lmdb", help="lmdb or leveldb")
    flags.add_argument("--resize_width", type=int, default=0)
    flags.add_argument("--resize_height", type=int, default=0, help="both or neither")
    flags.add_switch("check_size", "stop if pictures differ in size")
    flags.add_switch("encoded", "store picture files instead of pixels")
    flags.add_argument("--encode_type", default="", help="the files' format: png, jpg, …")
    return flags


def work(args: argparse.Namespace) -> None:
    """Make the database."""
    from caffe_lrcn.caffe_tools.imageset import ImagesetOptions, convert_imageset
    size = (args.resize_height, args.resize_width)
    options = ImagesetOptions(args.gray, args.shuffle, args.seed, size if min(size) > 0 else None,
                              args.check_size, args.encoded, args.encode_type)
    convert_imageset(args.root, args.list, args.database, options, args.backend)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
