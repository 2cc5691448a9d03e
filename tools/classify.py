#!/usr/bin/env python3
"""Classify pictures: classify.py INPUT OUTPUT [flags]."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("classify")
