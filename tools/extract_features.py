#!/usr/bin/env python3
"""Store what a net computes for its data in databases."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["extract_features", *sys.argv[1:]]))
