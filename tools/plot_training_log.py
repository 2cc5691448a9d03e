#!/usr/bin/env python3
"""Draw a chart of training logs: plot_training_log.py CHART_TYPE SAVE_PATH LOG…

SAVE_PATH ends in .svg, .png or .jpg; the names of logs end in .log. Chart types:
"""
import argparse
import sys

from caffe_lrcn.caffe_tools.log_plot import KINDS
from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the arguments of Caffe's plot_training_log.py."""
    types = "\n".join(f"  {number}: {kind.name}" for number, kind in enumerate(KINDS))
    flags = Parser(__doc__ + types)
    flags.add_argument("chart_type", type=int)
    flags.add_argument("save_path")
    flags.add_argument("log", nargs="+")
    return flags


def work(args: argparse.Namespace) -> None:
    """Draw the chart."""
    from caffe_lrcn.caffe_tools.log_plot import training_chart
    from caffe_lrcn.drawing.chart import save_chart
    save_chart(training_chart(args.chart_type, args.log), args.save_path)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
