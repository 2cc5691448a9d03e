#!/usr/bin/env python3
"""Draw a net: draw_net.py INPUT_NET OUTPUT_PICTURE [flags]."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("draw_net")
