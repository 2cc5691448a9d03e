#!/usr/bin/env python3
"""Print a net definition as a table, one line a layer: summarize.py FILENAME [-w WIDTH]."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("summarize")
