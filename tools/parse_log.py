#!/usr/bin/env python3
"""Write what a training log tells as tables: parse_log.py LOGFILE OUTPUT_DIR [flags]."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["parse_log", *sys.argv[1:]]))
