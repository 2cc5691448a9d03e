"""``caffe-lrcn data video-captions``: write what nets that describe videos read."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from . import runtime

if TYPE_CHECKING:
    from ..tasks.description.video_captions import Split

#: layout -> streams side by side, steps of a sentence (and of the frames before it)
_SIZES = {"s2vt": (32, 80), "poolmean": (100, 20)}
_NETS = ("paper", "small")  # tasks.description.sized_nets.SIZES, not imported for a help text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--layout", choices=_SIZES, default="s2vt",
                        help="s2vt: frames, then words; poolmean: words, and the mean of the "
                             "frames (%(default)s)")
    parser.add_argument("--sentences", required=True, nargs="+", type=Path, metavar="FILE",
                        help="lines video<TAB>sentence, or what --format says")
    parser.add_argument("--format", choices=("tab", "coco", "flickr"), default="tab",
                        help="of the sentences; coco and flickr: as for 'data captions', whose "
                             "pictures are then videos (%(default)s)")
    seen = parser.add_mutually_exclusive_group(required=True)
    add_features_flag(seen)
    seen.add_argument("--frames", type=Path, metavar="DIR",
                      help="instead of features: the folder of the videos, or of their folders of "
                           "frames, for a net that reads pictures")
    parser.add_argument("--stride", type=int, default=10, metavar="N",
                        help="with --frames: read one frame in N (%(default)s)")
    add_name_flags(parser)
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    _add_split_flags(parser)
    parser.add_argument("--vocabulary", type=Path,
                        help="use this vocabulary (default: make one from the split)")
    parser.add_argument("--min-count", type=int, default=1, metavar="N",
                        help="a word of the vocabulary occurs at least this often (%(default)s)")
    parser.add_argument("--tokenize", action="store_true",
                        help="split sentences as 'data captions' does (default: at blanks, since "
                             "S2VT's sentences have small letters and no punctuation)")
    parser.add_argument("--streams", type=int, metavar="N",
                        help="sentences side by side: s2vt 32, poolmean 100")
    parser.add_argument("--timesteps", type=int, metavar="T",
                        help="steps of a sentence: s2vt 80 with its frames, poolmean 20")
    parser.add_argument("--nets", choices=_NETS,
                        help="also write the net, its deploy net and its solver to OUT, with the "
                             "numbers of these data: those of prototxt/description, or of its "
                             "folder small (default: write none)")
    parser.add_argument("--reverse", action="store_true",
                        help="the words in reverse order (s2vt)")
    parser.add_argument("--seed", type=int, default=3, help="of the sentences' order (3)")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--force", action="store_true", help="replace what is there")
    existing.add_argument("--resume", action="store_true",
                          help="keep what is there and make the rest: after an interruption, with "
                               "the same flags")
    parser.add_argument("--strict", action="store_true",
                        help="as the original: float64, and rows lost at the end of the data")


def add_features_flag(parser: argparse._ActionsContainer) -> None:
    """Add ``--features``."""
    parser.add_argument("--features", type=Path, metavar="FILE",
                        help=".h5: a dataset (F, W) for each video; .npy: rows, named by --names; "
                             "else lines <video>_<frame>,<numbers>, or <numbers>")


def add_name_flags(parser: argparse._ActionsContainer) -> None:
    """Add ``--names`` and ``--first-video``."""
    parser.add_argument("--names", type=Path, metavar="LIST",
                        help="of features without names: for each row its video, or a picture in "
                             "the video's folder")
    parser.add_argument("--first-video", type=int, metavar="N",
                        help="or: row i is all of video vid<N+i>, counted from 0")


def _add_split_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", default="train", help="its name in the output (train)")
    parser.add_argument("--skip-missing", action="store_true",
                        help="leave out sentences of videos without features")
    parser.add_argument("--val-fraction", type=float, metavar="F",
                        help="keep this share of the videos for a split called val")
    parser.add_argument("--val-sentences", type=Path, metavar="FILE",
                        help="sentences of a split called val")
    parser.add_argument("--val-features", type=Path, metavar="FILE",
                        help="its features (--features)")
    parser.add_argument("--val-names", type=Path, metavar="LIST", help="as --names")
    parser.add_argument("--val-first-video", type=int, metavar="N", help="as --first-video")


def run(args: argparse.Namespace) -> int:
    """Write the data; return the exit code."""
    from ..language.caption_tokens import tokenize
    from ..language.vocabulary import Vocabulary
    from ..tasks.description.video_captions import write_video_data_set
    from ..tasks.description.video_nets import net_files, write_video_nets
    from ..tasks.description.video_recipe import VideoRecipe
    _check(args)
    streams, timesteps = _SIZES[args.layout]
    recipe = VideoRecipe(
        args.out, args.streams or streams, args.timesteps or timesteps, seed=args.seed,
        strict=args.strict, force=args.force, resume=args.resume, layout=args.layout,
        reverse=args.reverse, skip_missing=args.skip_missing, origin=_origin(args),
        split_words=tokenize if args.tokenize else str.split)
    if args.nets:
        recipe.refuse_existing(*(args.out / name for name in net_files(args.layout)))
    splits = _splits(args)
    vocabulary = write_video_data_set(
        recipe, splits, runtime.report,
        Vocabulary.read(args.vocabulary) if args.vocabulary else None, args.min_count)
    if args.nets:
        write_video_nets(recipe, args.nets, splits[args.split].seen.width, vocabulary,
                         {name: len(split.sentences) for name, split in splits.items()})
        print(f"{len(vocabulary)} word ids; nets of this size are in {args.out}")
    else:
        print(f"{len(vocabulary)} word ids (0 is <EOS>, 1 is <unk>): the net's Embed needs "
              f"input_dim {len(vocabulary)} and its predict layer num_output {len(vocabulary)}, or "
              "more")
    return 0


def _check(args: argparse.Namespace) -> None:
    for name in ("streams", "timesteps"):
        if getattr(args, name) == 0:
            raise UsageError(f"--{name} must be positive", got=0)
    if args.min_count < 1:
        raise UsageError("--min-count must be positive", got=args.min_count)
    if args.reverse and args.layout != "s2vt":
        raise UsageError("--reverse does nothing with this layout", wanted="--layout s2vt")
    if args.frames and args.layout != "s2vt":
        raise UsageError("mean pooling reads features", got="--frames", wanted="--features FILE")
    if args.nets and (args.frames or args.split != "train"):
        raise UsageError("--nets writes nets that read features of a split called train",
                         got="--frames" if args.frames else f"--split {args.split}")
    if args.val_fraction is not None and not 0 < args.val_fraction < 1:
        raise UsageError("--val-fraction must lie between 0 and 1", got=args.val_fraction)
    if args.val_sentences and args.val_fraction is not None:
        raise UsageError("--val-sentences and --val-fraction exclude each other")
    for name in ("features", "names", "first_video"):
        if getattr(args, f"val_{name}") is not None and not args.val_sentences:
            raise UsageError(f"--val-{name.replace('_', '-')} is of use only with --val-sentences")
    if args.split == "val" and (args.val_sentences or args.val_fraction is not None):
        raise UsageError("two splits would be called val", remedy="Choose another --split.")


def _splits(args: argparse.Namespace) -> dict[str, Split]:
    """Return split -> its sentences and what the net sees of the videos."""
    from ..language.caption_files import read_captions, split_by_picture
    from ..tasks.description.feature_files import open_features
    from ..tasks.description.frame_source import Frames
    from ..tasks.description.video_captions import Split
    sentences = {args.split: [sentence for file in args.sentences
                              for sentence in read_captions(args.format, file)]}
    if args.val_sentences:
        sentences["val"] = read_captions(args.format, args.val_sentences)
    elif args.val_fraction is not None:
        sentences[args.split], sentences["val"] = split_by_picture(
            sentences[args.split], args.val_fraction, args.seed)
        if not all(sentences.values()):
            raise UsageError("one of the splits is empty",
                             got=f"--val-fraction {args.val_fraction} of {args.sentences[0]}")
    if args.frames:
        seen = Frames(args.frames, args.stride, (sentence.picture for found in sentences.values()
                                                 for sentence in found))
        return {split: Split(found, seen) for split, found in sentences.items()}
    features = open_features(args.features, args.names, args.first_video)
    of_val = open_features(args.val_features, args.val_names, args.val_first_video) \
        if args.val_features else features
    if of_val.width != features.width:
        raise UsageError("the features of the two splits differ in width", where=args.val_features,
                         got=of_val.width, wanted=f"{features.width} as in {args.features}")
    return {split: Split(found, of_val if split == "val" else features)
            for split, found in sentences.items()}


def _origin(args: argparse.Namespace) -> dict[str, Any]:
    """Return what is converted, and the options that the streams depend on."""
    from ..tasks.captioning.conversion import sources
    files = (*args.sentences, args.val_sentences, args.vocabulary, args.features,
             args.val_features, args.names, args.val_names)
    return {"sources": sources(files), "format": args.format, "layout": args.layout,
            "frames": args.frames and str(args.frames), "stride": args.stride,
            "first_video": args.first_video, "val_first_video": args.val_first_video,
            "reverse": args.reverse, "tokenize": args.tokenize, "min_count": args.min_count,
            "val_fraction": args.val_fraction, "skip_missing": args.skip_missing}
