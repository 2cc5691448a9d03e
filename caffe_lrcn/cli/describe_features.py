"""``caffe-lrcn describe`` from features of frames, or from videos through a convnet."""
from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import data_video_captions, decoding, runtime

if TYPE_CHECKING:
    from ..backends import Backend
    from ..language.context import Given
    from ..language.hypothesis import Hypothesis
    from ..tasks.description.feature_files import Features


def add_arguments(parser: argparse.ArgumentParser, seen: argparse._ActionsContainer) -> None:
    """Declare the flags that only this way of describing has.

    Args:
        parser: of the command.
        seen: the group of what can be described.
    """
    data_video_captions.add_features_flag(seen)
    group = parser.add_argument_group("features, and videos through a convnet (S2VT, mean pooling)")
    data_video_captions.add_name_flags(group)
    group.add_argument("--only", type=Path, metavar="LIST",
                       help="of the features only these videos, one a line, in this order")
    group.add_argument("--timesteps", type=partial(runtime.at_least, 2), default=80, metavar="T",
                       help="steps of the training: more frames get a warning (%(default)s)")
    group.add_argument("--image-net", help="of videos: deploy definition of the convnet")
    group.add_argument("--image-weights", type=Path, help="its weights")
    group.add_argument("--blob", metavar="NAME",
                       help="take this blob of it, such as fc7 (its output)")
    group.add_argument("--stride", type=partial(runtime.at_least, 1), default=10, metavar="N",
                       help="take one frame in N (%(default)s)")
    runtime.add_picture_flags(group)


def run(args: argparse.Namespace) -> int:
    """Print ``video: Sentence.`` for each video; return the exit code."""
    from ..paths import resolve
    from ..tasks.captioning.gallery import Captioned
    from ..tasks.captioning.output import check_output, write_outputs
    from ..tasks.description.describe_videos import check_width, describe_features
    from ..tasks.description.page import write_sentences
    _check(args)
    options = decoding.strategy_options(args)
    vocabulary = decoding.read_vocabulary(args)
    backend = runtime.open_backend(args)
    features, files = _features_of_videos(args, backend) if args.videos else _features(args)
    videos = _chosen(args, features)
    check_output(args, videos, named=True)
    decoder = decoding.open_decoder(args, resolve(args.net), vocabulary, backend)
    check_width(decoder.step_net, features)
    _warn_of_long_videos(args, decoder.step_net, features, videos)

    def search(given: Given, first: int) -> list[list[Hypothesis]]:
        # Videos come in parts: those of the next must not draw the same random numbers.
        seeded = {"seed": options["seed"] + first} if "seed" in options else {}
        return decoding.decode(decoder, given, args, options | seeded)

    described = [Captioned(video, captions=[(hypothesis.log_prob,
                                             vocabulary.sentence(hypothesis.words))
                                            for hypothesis in hypotheses])
                 for video, hypotheses in describe_features(decoder.step_net, features, videos,
                                                            search)]
    about = f"{args.weights.name}, {args.strategy}"
    write_outputs(args, described, named=True,
                  write_page=lambda shown: write_sentences(args.html, about, shown,
                                                           [files.get(video) for video in videos]))
    return 0


def _check(args: argparse.Namespace) -> None:
    for name in ("architecture", "slots", "data"):
        if getattr(args, name) is not None:
            raise UsageError(f"--{name} is of use only with --roles")
    for name in ("net", "vocabulary"):
        if getattr(args, name) is None:
            raise UsageError(f"--{name} is missing", wanted={
                "net": "the deploy definition, such as "
                       "prototxt/description/s2vt.words_to_preds.deploy.prototxt",
                "vocabulary": "the vocabulary.txt of the training"}[name])
    if args.videos and (args.names or args.first_video is not None or args.only):
        raise UsageError("--names, --first-video and --only are of use only with --features")
    if bool(args.videos) != bool(args.image_net and args.image_weights):
        raise UsageError("videos need a convnet, and features none",
                         wanted="VIDEO … --image-net NET --image-weights FILE, or --features FILE")


def _features(args: argparse.Namespace) -> tuple[Features, dict[str, str]]:
    from ..tasks.description.feature_files import open_features
    return open_features(args.features, args.names, args.first_video), {}


def _features_of_videos(args: argparse.Namespace,
                        backend: Backend) -> tuple[Features, dict[str, str]]:
    """Return the features of the videos, and name -> file or folder."""
    from ..paths import resolve
    from ..tasks.captioning.pictures import FeatureNet
    from ..tasks.description.video_features import VideoFeatures, find_clips
    videos = find_clips(args.videos)
    net = FeatureNet(resolve(args.image_net), args.image_weights, resize=args.resize,
                     mean=runtime.mean(args.mean), backend=backend, blob=args.blob)
    with runtime.quiet_arithmetic():
        return (VideoFeatures(net, videos, args.stride),
                {video.name: str(video.source) for video in videos})


def _chosen(args: argparse.Namespace, features: Features) -> list[str]:
    from ..errors import DataError
    from ..hints import did_you_mean, misspelt
    from ..language.text_files import read_text
    if not args.only:
        return list(features.counts)
    chosen = [line.strip() for line in read_text(args.only, "names of videos").split("\n")
              if line.strip()]
    for video in chosen:
        if video not in features.counts:
            raise DataError(f"video '{video}' has no features", where=args.only,
                            wanted=f"a video of {features.path}",
                            remedy=did_you_mean(misspelt(video, features.counts)))
    if not chosen or len({*chosen}) < len(chosen):
        raise DataError("the list of videos is empty, or names one twice", where=args.only)
    return chosen


def _warn_of_long_videos(args: argparse.Namespace, net: object, features: Features,
                         videos: list[str]) -> None:
    from ..tasks.description.describe_videos import reads_frames
    long = [video for video in videos if features.counts[video] > args.timesteps]
    if long and reads_frames(net):
        runtime.report(f"warning: {len(long)} videos have more frames than the {args.timesteps} "
                       f"steps of the training, the first {long[0]} "
                       f"({features.counts[long[0]]}); all are read")
