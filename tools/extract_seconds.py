#!/usr/bin/env python3
"""Write the seconds from the start of training to each iteration: extract_seconds.py LOG OUT."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("extract_seconds")
