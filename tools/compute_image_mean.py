#!/usr/bin/env python3
"""Compute the mean picture of a database: compute_image_mean.py [flags] INPUT_DB [OUTPUT_FILE]."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["compute_image_mean", *sys.argv[1:]]))
