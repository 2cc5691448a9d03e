#!/usr/bin/env python3
"""Write the seconds from the start of training to each iteration: extract_seconds.py LOG OUT."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["extract_seconds", *sys.argv[1:]]))
