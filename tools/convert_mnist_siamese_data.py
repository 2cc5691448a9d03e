#!/usr/bin/env python3
"""Store random pairs of MNIST's digits: convert_mnist_siamese_data.py [flags] IMAGES LABELS DB."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["convert_mnist_siamese_data", *sys.argv[1:]]))
