"""``caffe-lrcn plot``: draws how trainings went."""
from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ..caffe_tools.program import split_list

if TYPE_CHECKING:
    from ..drawing.chart import Chart


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("run", nargs="+", metavar="RUN|LOG|CSV",
                        help="the folder of a run, a log file or a CSV log; several to compare")
    parser.add_argument("--out", metavar="FILE",
                        help="the drawing: .png, .svg or .html (beside the log, as .png)")
    parser.add_argument("--show", default="", metavar="A,B",
                        help="the columns to draw, such as accuracy,mean_loss (all)")


def run(args: argparse.Namespace) -> int:
    """Draw; return the exit code."""
    from ..caffe_tools.training_curves import read_run, training_charts
    from ..drawing.chart import draw_charts
    from ..drawing.render import encode, extension_of, save
    runs = [read_run(path) for path in args.run]
    charts = training_charts(runs, split_list(args.show))
    out = args.out or (os.path.splitext(runs[0].path)[0] + ".png" if len(runs) == 1 else "plot.png")
    extension = extension_of(out)
    if extension in ("html", "htm"):
        drawing = _page(", ".join(run.name for run in runs), charts).encode()
    else:
        drawing = encode(draw_charts(charts), extension)
    save(out, drawing)
    print(out)
    return 0


def _page(title: str, charts: list[Chart]) -> str:
    from ..drawing.chart import draw_chart
    from ..drawing.page import page
    from ..drawing.svg import svg_element
    return page(title, "", "\n".join(svg_element(draw_chart(chart)) for chart in charts))
