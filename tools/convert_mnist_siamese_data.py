#!/usr/bin/env python3
"""Store random pairs of MNIST's digits: convert_mnist_siamese_data.py [flags] IMAGES LABELS DB."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("convert_mnist_siamese_data")
