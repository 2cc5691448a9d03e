#!/usr/bin/env python3
"""Store CIFAR-10 in databases: convert_cifar_data.py INPUT_FOLDER OUTPUT_FOLDER DB_TYPE."""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["convert_cifar_data", *sys.argv[1:]]))
