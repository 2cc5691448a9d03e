#!/usr/bin/env python3
"""Store what a net computes for its data in databases.

extract_features.py WEIGHTS NET BLOB[,BLOB…] DATABASE[,DATABASE…] BATCHES DB_TYPE [CPU|GPU] [DEVICE]

Each blob gets the database at its place of the list.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the arguments of Caffe's extract_features."""
    flags = Parser(__doc__)
    flags.add_argument("weights")
    flags.add_argument("net", help="definition, whose TEST phase reads the data")
    flags.add_argument("blobs", help="names, with commas between")
    flags.add_argument("databases", help="folders to make, with commas between")
    flags.add_argument("batches", type=int, help="how many batches of data to go through")
    flags.add_argument("db_type", help="lmdb or leveldb")
    flags.add_argument("mode", nargs="?", default="CPU", help="CPU (default) or GPU")
    flags.add_argument("device", nargs="?", type=int, default=0, help="number of the GPU")
    return flags


def work(args: argparse.Namespace) -> None:
    """Run the net."""
    from caffe_lrcn.backends import get_backend
    from caffe_lrcn.caffe_tools.features import extract_features
    from caffe_lrcn.cli.runtime import split_list
    from caffe_lrcn.errors import UsageError
    from caffe_lrcn.net.net import Net
    from caffe_lrcn.proto.caffe_pb2 import TEST
    from caffe_lrcn.proto.text import read_net
    if args.mode not in ("CPU", "GPU"):
        raise UsageError("unknown device", got=args.mode, wanted="CPU or GPU")
    backend = get_backend(f"gpu:{args.device}" if args.mode == "GPU" else "cpu")
    net = Net(read_net(args.net), backend, phase=TEST)
    try:
        net.copy_trained_layers_from(args.weights)
        extract_features(net, split_list(args.blobs), split_list(args.databases), args.batches,
                         args.db_type)
    finally:
        net.close()


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
