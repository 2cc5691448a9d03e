#!/usr/bin/env python3
"""Store MNIST's digits in a database: convert_mnist_data.py [flags] IMAGES LABELS DB."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["convert_mnist_data", *sys.argv[1:]]))
