#!/usr/bin/env python3
"""Write what a training log tells as tables: parse_log.py LOGFILE OUTPUT_DIR [flags]."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("parse_log")
