#!/usr/bin/env python3
"""Compute the mean picture of a database: compute_image_mean.py [flags] INPUT_DB [OUTPUT_FILE]."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("compute_image_mean")
