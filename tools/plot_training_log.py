#!/usr/bin/env python3
"""Draw a chart of training logs: plot_training_log.py CHART_TYPE SAVE_PATH LOG…"""
import sys

from caffe_lrcn.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["plot_training_log", *sys.argv[1:]]))
