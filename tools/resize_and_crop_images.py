#!/usr/bin/env python3
"""Make picture files square: the short side is resized, the middle is kept."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["resize_and_crop_images", *sys.argv[1:]]))
