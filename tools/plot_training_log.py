#!/usr/bin/env python3
"""Draw a chart of training logs: plot_training_log.py CHART_TYPE SAVE_PATH LOG…"""
from caffe_lrcn.cli.main import script

if __name__ == "__main__":
    script("plot_training_log")
