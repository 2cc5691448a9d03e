#!/usr/bin/env python3
"""Score windows of pictures: detect.py INPUT OUTPUT [flags]."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("detect")
