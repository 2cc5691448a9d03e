#!/usr/bin/env python3
"""Classify pictures: classify.py INPUT OUTPUT [flags]."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["classify", *sys.argv[1:]]))
