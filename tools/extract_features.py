#!/usr/bin/env python3
"""Store what a net computes for its data in databases."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("extract_features")
