#!/usr/bin/env python3
"""Store CIFAR-10 in databases: convert_cifar_data.py INPUT_FOLDER OUTPUT_FOLDER DB_TYPE.

INPUT_FOLDER has the binary version's files; OUTPUT_FOLDER gets cifar10_train_<DB_TYPE> and
cifar10_test_<DB_TYPE>.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the arguments of Caffe's convert_cifar_data."""
    flags = Parser(__doc__)
    for name in ("input_folder", "output_folder"):
        flags.add_argument(name)
    flags.add_argument("db_type", help="lmdb or leveldb")
    return flags


def work(args: argparse.Namespace) -> None:
    """Make the databases."""
    from caffe_lrcn.caffe_tools.cifar import convert_cifar
    convert_cifar(args.input_folder, args.output_folder, args.db_type)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
