#!/usr/bin/env python3
"""Score windows of pictures: detect.py INPUT OUTPUT [flags]."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["detect", *sys.argv[1:]]))
