"""What ``recognize --stream`` does: a line for each second of a video without an end."""
from __future__ import annotations

import argparse
import math
import shutil
from typing import TYPE_CHECKING

from . import runtime
from .recognize_videos import shown_bars

if TYPE_CHECKING:
    from ..tasks.activity.ensemble import Ensemble


def print_stream(args: argparse.Namespace, ensemble: Ensemble) -> int:
    """Print a line for each second of a video as it comes."""
    import numpy as np

    from ..printable import printable
    from ..solver.progress import duration, fitting
    from ..sources.live_video import LiveVideo
    from ..tasks.activity.footage import Footage
    from ..tasks.activity.recognised import top_classes
    classes = ensemble.nets[0].classes
    with LiveVideo(args.videos[0]) as video, runtime.quiet_arithmetic():
        rate = args.rate or video.rate or 30.0
        frames = Footage(video.frames(args.rate), rate)
        total, second = np.zeros(len(classes)), np.zeros(len(classes))
        count = seen = 0
        try:
            for row in ensemble.stream(frames, max(1, math.ceil(rate))):
                count, seen = count + 1, seen + 1
                total, second = total + row, second + row
                if int(count / rate) > int((count - 1) / rate):
                    best = [f"{printable(classes[number])} {second[number] / seen:.1%}"
                            for number in top_classes(second, args.top or 3)]
                    line = "  ".join([f"{duration(count / rate):>5}", *best])
                    print(fitting(line, shutil.get_terminal_size().columns + 1), flush=True)
                    second, seen = np.zeros(len(classes)), 0
        finally:
            if count:
                print(f"mean of {count} frames ({count / rate:.1f} s)")
                print("\n".join(shown_bars(total / count, classes, args.top or 5)), flush=True)
        if frames.problem:
            raise frames.problem
    return 0
