#!/usr/bin/env python3
"""Compute the mean picture of a database: compute_image_mean.py [flags] INPUT_DB [OUTPUT_FILE]."""
import argparse
import sys

from caffe_lrcn import glog
from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the flags of Caffe's compute_image_mean."""
    flags = Parser(__doc__)
    flags.add_argument("database")
    flags.add_argument("output", nargs="?", help="where to write the mean (.binaryproto)")
    flags.add_argument("--backend", default="lmdb", help="lmdb or leveldb")
    return flags


def work(args: argparse.Namespace) -> None:
    """Write the mean, if asked to, and log the mean of each channel."""
    from caffe_lrcn.caffe_tools.image_mean import database_mean, write_mean
    mean = database_mean(args.database, args.backend)
    if args.output:
        glog.info("Write to %s", args.output)
        write_mean(args.output, mean)
    glog.info("Number of channels: %d", len(mean))
    for channel, value in enumerate(mean.mean(axis=(1, 2))):
        glog.info("mean_value channel [%d]: %g", channel, value)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
