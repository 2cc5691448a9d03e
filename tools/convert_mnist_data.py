#!/usr/bin/env python3
"""Store MNIST's digits in a database: convert_mnist_data.py [flags] IMAGES LABELS DB."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("convert_mnist_data")
