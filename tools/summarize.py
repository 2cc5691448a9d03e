#!/usr/bin/env python3
"""Print a net definition as a table, one line a layer: summarize.py FILENAME [-w WIDTH]."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["summarize", *sys.argv[1:]]))
