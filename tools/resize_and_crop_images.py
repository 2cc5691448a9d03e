#!/usr/bin/env python3
"""Make picture files square: the short side is resized, the middle is kept."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("resize_and_crop_images")
