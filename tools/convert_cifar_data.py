#!/usr/bin/env python3
"""Store CIFAR-10 in databases: convert_cifar_data.py INPUT_FOLDER OUTPUT_FOLDER DB_TYPE."""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("convert_cifar_data")
