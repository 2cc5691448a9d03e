"""``caffe-lrcn recognize``: say what happens in videos."""
from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, UsageError
from . import runtime

if TYPE_CHECKING:
    from ..backends import Backend
    from ..tasks.activity.ensemble import Ensemble, Video
    from ..tasks.activity.recognise import Recogniser

_FLOW_METHODS = ("brox", "dis", "tvl1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("videos", nargs="*", metavar="VIDEO",
                        help="video files, folders of frames (of flow, for nets that take flow "
                             "alone), or folders with videos below them")
    parser.add_argument("--list", metavar="LIST",
                        help="a file that lists videos: name and label, from 0, per line")
    parser.add_argument("--root", default="", metavar="FOLDER",
                        help="where the videos of --list are (beside it)")
    parser.add_argument("--flow", metavar="FOLDER",
                        help="what 'data flow' wrote: a folder of flow pictures for each video; "
                             "without it flow is computed")
    _add_net_flags(parser)
    _add_sampling_flags(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--top", type=partial(runtime.at_least, 1), metavar="N",
                        help="classes shown of each video (5; of --list 1, of --stream 3)")
    output.add_argument("--json", type=Path, metavar="FILE",
                        help="write the probabilities, as evaluate-activity reads them; a run that "
                             "was stopped goes on, unless --csv or --html is given")
    output.add_argument("--csv", type=Path, metavar="FILE",
                        help="write the probabilities at each frame")
    output.add_argument("--html", type=Path, metavar="FILE",
                        help="write a page with frames and the probabilities over time")
    output.add_argument("--strict", action="store_true",
                        help="stop at the first broken video instead of going on")
    output.add_argument("--stream", action="store_true",
                        help="read one video without an end (a file, a camera such as /dev/video0, "
                             "or - for standard input): a line for each second, little memory")
    runtime.add_device_flags(parser)


def _add_net_flags(parser: argparse.ArgumentParser) -> None:
    nets = parser.add_argument_group("nets", "Several nets are fused: repeat --net and --weights.")
    nets.add_argument("--net", action="append", required=True,
                      help="deploy definition of a single-frame net or of LRCN")
    nets.add_argument("--weights", action="append", required=True, type=Path,
                      help="trained weights of the net")
    nets.add_argument("--stage", action="append", default=[], metavar="A,B",
                      help="variant of the net; once for all nets, or once for each")
    nets.add_argument("--modality", action="append", default=[], choices=("rgb", "flow"),
                      help="what the net looks at, if its Input layer does not say it "
                           "(transform_param { flow: true }); once, or once for each")
    nets.add_argument("--classes", type=Path, metavar="FILE",
                      help="names of the classes, one per line, or UCF101's classInd.txt")
    nets.add_argument("--fusion", default="average", metavar="W",
                      help="weights of the nets: average, third (1/3, 2/3), or numbers such as 1,2 "
                           "(%(default)s)")


def _add_sampling_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("frames")
    group.add_argument("--crops", choices=("center", "10"),
                       help="center, or corners and centre and these mirrored (center; 10 with "
                            "--faithful)")
    group.add_argument("--window", type=int, metavar="T",
                       help="frames that LRCN reads one after another (T of the clips in its "
                            "definition)")
    group.add_argument("--stride", type=int, metavar="N",
                       help="frames from one window's start to the next (half a window)")
    group.add_argument("--faithful", action="store_true",
                       help="windows, resizing and mirrored flow as in the original's scripts")
    group.add_argument("--rate", type=float, metavar="FPS",
                       help="frames per second that are taken of video files (every frame once)")
    group.add_argument("--size", metavar="HEIGHTxWIDTH",
                       help="resize frames to this (what the net's Input layer says, else 240x320 "
                            "where a side is smaller)")
    group.add_argument("--mean", action="append", default=[], metavar="B,G,R",
                       help="mean that is subtracted (what the net's Input layer says); once, or "
                            "once for each net")
    group.add_argument("--flow-method", choices=_FLOW_METHODS, default=_FLOW_METHODS[0],
                       help="how flow is computed, as for 'data flow' (%(default)s)")
    group.add_argument("--flow-scale", type=float, default=16.0, metavar="S",
                       help="grey levels per pixel of motion (%(default)g)")


def run(args: argparse.Namespace) -> int:
    """Print what is recognised and write the files; return 1 if videos could not be read."""
    from ..tasks.activity.official_lists import read_class_names
    from .recognize_stream import print_stream
    from .recognize_videos import RecognitionRun
    _check(args)
    classes = read_class_names(args.classes) if args.classes else None
    ensemble = _ensemble(args, classes)
    if args.stream:
        return print_stream(args, ensemble)
    videos = _videos(args, classes, ensemble)
    with runtime.quiet_arithmetic():
        return RecognitionRun(args, ensemble, videos).all()


def _check(args: argparse.Namespace) -> None:
    """Find what would fail after all the work."""
    from ..files import check_output
    if bool(args.videos) == bool(args.list):
        raise UsageError("there are no videos to recognise" if not args.videos else
                         "VIDEO and --list exclude each other",
                         wanted="video files, folders, or --list LIST")
    if args.root and not args.list:
        raise UsageError("--root needs --list")
    if args.rate is not None and not 0 < args.rate <= 1000:
        raise UsageError("--rate must be positive, at most 1000", got=args.rate)
    if not 0 < args.flow_scale < float("inf"):
        raise UsageError("--flow-scale must be positive", got=args.flow_scale)
    if args.stream:
        taken = [flag for flag in ("list", "flow", "json", "csv", "html", "strict", "faithful")
                 if getattr(args, flag)]
        if taken:
            raise UsageError(f"--{taken[0]} does nothing with --stream")
        if len(args.videos) > 1:
            raise UsageError("--stream reads one video", got=len(args.videos))
    for path, what in ((args.json, "the results"), (args.csv, "the table"),
                       (args.html, "the page")):
        if path:
            check_output(path, DataError, what)


def _each(args: argparse.Namespace, flag: str, without: Any) -> list[Any]:
    """Return the values of a flag for each net."""
    given, nets = getattr(args, flag), len(args.net)
    if len(given) not in (0, 1, nets):
        raise UsageError(f"--{flag} is given once for all nets, or once for each",
                         got=len(given), wanted=nets)
    return (given or [without]) * (1 if len(given) == nets else nets)


def _ensemble(args: argparse.Namespace, classes: list[str] | None) -> Ensemble:
    from ..tasks.activity.ensemble import Ensemble
    from ..tasks.activity.flow import brox, opencv
    from ..tasks.activity.windows import read_weights
    if len(args.weights) != len(args.net):
        raise UsageError("there must be one --weights for each --net", got=len(args.weights),
                         wanted=len(args.net))
    weights = read_weights(args.fusion, len(args.net))
    backend = runtime.open_backend(args)
    nets = _nets(args, classes, backend)
    if args.flow and not any(net.flow for net in nets):
        raise UsageError("--flow does nothing: no net takes flow",
                         remedy="Say --modality flow if one does.")
    method = (opencv(args.flow_method) if args.flow_method != "brox" and
              any(net.flow for net in nets) else brox(backend))
    return Ensemble(nets, weights, method, args.flow_scale, args.rate,
                    args.threads or os.cpu_count() or 1)


def _nets(args: argparse.Namespace, classes: list[str] | None, backend: Backend
          ) -> list[Recogniser]:
    from ..caffe_tools.program import split_list
    from ..paths import resolve
    from ..tasks.activity.recognise import Recogniser
    from .data_frames import size
    frame_size = size(args.size)
    return [Recogniser(resolve(net), weights, classes=classes, stages=split_list(stage),
                       backend=backend, size=args.window, stride=args.stride, crops=args.crops,
                       faithful=args.faithful, flow=None if modality is None else
                       modality == "flow", frame_size=frame_size, mean=runtime.mean(mean))
            for net, weights, stage, modality, mean in zip(
                args.net, args.weights, _each(args, "stage", ""), _each(args, "modality", None),
                _each(args, "mean", None), strict=True)]


def _videos(args: argparse.Namespace, classes: list[str] | None, ensemble: Ensemble
            ) -> list[Video]:
    from ..tasks.activity.video_inputs import listed_videos, named_videos
    if args.list:
        videos = listed_videos(args.list, args.root, args.flow, classes, ensemble.flow_alone)
    else:
        videos = named_videos(args.videos, args.flow, ensemble.flow_alone)
    if any(net.flow for net in ensemble.nets) and any(video.flow is None for video in videos):
        runtime.report(f"note: flow is computed: {ensemble.method.name}, {ensemble.scale:g} grey "
                       "levels per pixel (--flow-method, --flow-scale)")
    return videos
