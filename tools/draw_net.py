#!/usr/bin/env python3
"""Draw a net: draw_net.py INPUT_NET OUTPUT_PICTURE [flags]."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["draw_net", *sys.argv[1:]]))
