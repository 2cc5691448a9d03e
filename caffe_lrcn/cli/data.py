"""``caffe-lrcn data``: make what the nets read."""
from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from . import (
    data_actions,
    data_flow,
    data_frames,
    data_pictures,
    data_role_streams,
    data_roles,
    data_splits,
    data_toy,
    data_toy_roles,
    data_video_captions,
    runtime,
)

if TYPE_CHECKING:
    from ..language.caption_files import Caption


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their flags."""
    commands = parser.add_subparsers(dest="data_command", metavar="COMMAND", required=True)
    _add_captions(commands.add_parser(
        "captions", help="vocabulary, HDF5 caption streams and aligned picture lists",
        description="Write OUT/vocabulary.txt and, for each split, "
                    "OUT/buffer_<streams>/<split>_aligned_<timesteps>_batches (or "
                    "<split>_unaligned_batches) with HDF5 caption streams and picture lists."))
    _add_ngrams(commands.add_parser(
        "ngrams", help="unigram and bigram perplexity of caption streams",
        description="Print the perplexities that a language model has to beat."))
    data_pictures.add_arguments(commands.add_parser(
        "pictures", help="the pictures of a caption file, as a list",
        description="Write the paths of the pictures that a caption file, or a split of it, "
                    "names: what 'caffe-lrcn caption --images' reads."))
    data_video_captions.add_arguments(commands.add_parser(
        "video-captions", help="vocabulary and HDF5 streams of videos and their sentences",
        description="Write OUT/vocabulary.txt and, for each split, "
                    "OUT/buffer_<streams>_<layout>_<timesteps>/<split>_batches with what S2VT or "
                    "the mean-pooling net reads."))
    data_toy.add_arguments(commands.add_parser(
        "toy", help="generated pictures of one or two things, with captions",
        description="Generate pictures, five captions each in COCO's form, and attributes."))
    data_actions.add_arguments(commands.add_parser(
        "toy-actions", help="generated clips whose class lies in the motion",
        description="Generate video files of moving things, and lists as UCF101 has them."))
    data_toy_roles.add_arguments(commands.add_parser(
        "toy-roles", help="generated clips of a kitchen, with roles and sentences",
        description="Generate video files of somebody who cooks, and what is known of each clip: "
                    "activity, tool, object, source and location, and four sentences."))
    data_frames.add_arguments(commands.add_parser(
        "frames", help="the pictures of videos, a folder for each video, or clips in HDF5 files",
        description="Write OUT/NAME/NAME.0001.jpg and so on for each video. Videos that are done "
                    "already are left as they are, so an interrupted run goes on. With --clips, "
                    "write OUT/clips_0001.h5 and so on, and their list OUT/clips.txt for the "
                    "layer HDF5Data."))
    data_flow.add_arguments(commands.add_parser(
        "flow", help="optical flow between frames, a folder for each video",
        description="Write OUT/NAME/flow_image_NAME.0002.jpg and so on for each folder of frames: "
                    "red is the motion to the right, green downwards, blue its length, times "
                    "--scale plus 128."))
    data_roles.add_arguments(commands.add_parser(
        "roles", help="what is known of clips, for describing them: check, convert, recognise",
        description="Read a file of roles and check it; write it in another form, its sentences "
                    "as references, or the roles that a recogniser finds: a CRF over features of "
                    "the clips, or a simulated one."))
    data_splits.add_arguments(commands.add_parser(
        "splits", help="lists of videos and their classes, for training and for tests",
        description="Write OUT/classes.txt and, for each split N, OUT/trainN.txt and OUT/testN.txt "
                    "with a line '<name> <label>' per video, labels from 0; with --val-fraction "
                    "also OUT/fitN.txt and OUT/valN.txt, into which trainN.txt is divided."))
    data_role_streams.add_arguments(commands.add_parser(
        "role-streams", help="roles of clips and sentences as HDF5 streams, and nets for them",
        description="Write OUT/vocabulary.txt, OUT/slots.json, the streams of the splits train and "
                    "val in OUT/buffer_<streams>, and definitions and solvers of the three "
                    "architectures with the numbers of these data."))


def run(args: argparse.Namespace) -> int:
    """Run the sub-command; return the exit code."""
    commands = {"captions": _captions, "ngrams": _ngrams,
                "pictures": data_pictures.run, "toy": data_toy.run,
                "toy-actions": data_actions.run, "toy-roles": data_toy_roles.run,
                "frames": data_frames.run, "flow": data_flow.run, "roles": data_roles.run,
                "splits": data_splits.run, "video-captions": data_video_captions.run,
                "role-streams": data_role_streams.run}
    return commands[args.data_command](args)


def _add_captions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", required=True, choices=("coco", "flickr", "tab"),
                        help="coco: JSON; flickr: image.jpg#k<TAB>caption, or CSV image,caption; "
                             "tab: video<TAB>sentence")
    parser.add_argument("--captions", required=True, nargs="+", type=Path, metavar="FILE",
                        help="the caption file; more than one make one split, such as trainval")
    parser.add_argument("--images", nargs="+", type=Path, metavar="DIR",
                        help="folder of the pictures, or one for each caption file (only "
                             "--unaligned does without)")
    data_pictures.add_anywhere(parser)
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    parser.add_argument("--split", default="train", help="its name in the output (train)")
    parser.add_argument("--ids", nargs="+", type=Path, metavar="FILE",
                        help="only these pictures: COCO ids or Flickr file names, one per line")
    parser.add_argument("--val-fraction", type=float, metavar="F",
                        help="keep this share of the pictures for a split called val")
    parser.add_argument("--val-captions", type=Path, metavar="FILE",
                        help="captions of a split called val")
    parser.add_argument("--val-images", type=Path, metavar="DIR",
                        help="folder of its pictures (--images)")
    parser.add_argument("--vocabulary", type=Path,
                        help="use this vocabulary (default: make one from the split)")
    parser.add_argument("--min-count", type=int, default=5,
                        help="a word of the vocabulary occurs at least this often (5)")
    parser.add_argument("--streams", type=int, default=100,
                        help="captions side by side: the batch of the picture layer (100)")
    parser.add_argument("--timesteps", type=int, default=20,
                        help="words of an aligned caption: the batch of the HDF5 layer (20)")
    parser.add_argument("--unaligned", action="store_true",
                        help="captions one after another, not padded: for language models")
    parser.add_argument("--seed", type=int, default=3, help="of the captions' order (3)")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--force", action="store_true", help="replace what is there")
    existing.add_argument("--resume", action="store_true",
                          help="keep what is there and make the rest: after an interruption, with "
                               "the same flags")
    parser.add_argument("--strict", action="store_true",
                        help="reproduce the original's loss of rows at the end of the data")


def _captions(args: argparse.Namespace) -> int:
    from ..language.vocabulary import Vocabulary
    from ..tasks.captioning.prepare import Recipe, write_data_set
    _check_captions(args)
    splits = _splits(args)
    recipe = Recipe(args.out, args.streams, args.timesteps, aligned=not args.unaligned,
                    seed=args.seed, strict=args.strict, force=args.force, resume=args.resume,
                    origin=_origin(args))
    vocabulary = write_data_set(
        recipe, splits, None if args.images is None else Path(),  # captions name whole paths
        runtime.report, Vocabulary.read(args.vocabulary) if args.vocabulary else None,
        args.min_count)
    print(f"{len(vocabulary)} word ids (0 is <EOS>, 1 is <unk>): the net's Embed needs input_dim "
          f"{len(vocabulary)} and its predict layer num_output {len(vocabulary)}, or more")
    return 0


def _origin(args: argparse.Namespace) -> dict[str, Any]:
    """Return what is converted, and the options that the streams depend on."""
    from ..tasks.captioning.conversion import sources
    files = (*args.captions, *(args.ids or ()), args.val_captions, args.vocabulary)
    return {"sources": sources(files), "format": args.format,
            "images": [str(folder) for folder in args.images or ()],
            "val_images": args.val_images and str(args.val_images),
            "val_fraction": args.val_fraction, "min_count": args.min_count}


def _splits(args: argparse.Namespace) -> dict[str, list[Caption]]:
    """Return split -> captions, whose pictures are paths if there are folders."""
    from ..language.caption_files import read_keys, split_by_picture
    folders = args.images or [None]
    keys = set().union(*map(read_keys, args.ids)) if args.ids else None
    found = []
    for number, file in enumerate(args.captions):
        found += _read(args, file, folders[number % len(folders)], keys)
    if keys is not None:
        known = {caption.key for caption in found}
        unknown = sorted(keys - known - {key.removesuffix(".jpg") for key in known})
        if unknown:
            runtime.report(f"warning: {len(unknown)} of the {len(keys)} pictures in --ids have no "
                    f"captions, the first {unknown[0]}")
    captions = {args.split: found}
    if args.val_fraction is not None:
        captions[args.split], captions["val"] = split_by_picture(found, args.val_fraction,
                                                                 args.seed)
        if not all(captions.values()):
            raise UsageError("one of the splits is empty", got=f"--val-fraction "
                             f"{args.val_fraction} of {args.captions[0]}")
    elif args.val_captions:
        captions["val"] = _read(args, args.val_captions, args.val_images or folders[0])
    return captions


def _read(args: argparse.Namespace, file: Path, folder: Path | None,
          keys: set[str] | None = None) -> list[Caption]:
    from ..language.caption_files import picture_path, read_captions
    captions = read_captions(args.format, file, keys)
    if folder is None:
        return captions
    return [replace(caption, picture=str(picture_path(folder, caption.picture, caption.where,
                                                      args.anywhere))) for caption in captions]


def _check_captions(args: argparse.Namespace) -> None:
    if args.images is None and not args.unaligned:
        raise UsageError("--images is missing", remedy="Only --unaligned does without pictures.")
    for folder in (*(args.images or ()), args.val_images):
        if folder is not None and not folder.is_dir():
            raise UsageError("there is no such folder of pictures", got=folder)
    if args.images and len(args.images) not in (1, len(args.captions)):
        raise UsageError("--images takes one folder, or one for each caption file",
                         got=len(args.images), wanted=f"1 or {len(args.captions)}")
    if args.min_count < 1:
        raise UsageError("--min-count must be positive", got=args.min_count)
    if args.val_fraction is not None and not 0 < args.val_fraction < 1:
        raise UsageError("--val-fraction must lie between 0 and 1", got=args.val_fraction)
    if args.val_captions and args.val_fraction is not None:
        raise UsageError("--val-captions and --val-fraction exclude each other")
    if args.split == "val" and (args.val_captions or args.val_fraction is not None):
        raise UsageError("two splits would be called val", remedy="Choose another --split.")


def _add_ngrams(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--train", required=True, type=Path,
                        help="hdf5_chunk_list.txt of the streams to count")
    parser.add_argument("--test", required=True, type=Path,
                        help="hdf5_chunk_list.txt of the streams to score")
    parser.add_argument("--vocabulary", required=True, type=Path)
    runtime.add_vocabulary_flag(parser)


def _ngrams(args: argparse.Namespace) -> int:
    from ..language.bigrams import Bigrams, read_transitions
    from ..language.vocabulary import Vocabulary
    from ..language.vocabulary_card import check_streams
    from ..paths import resolve
    from ..sources.listing import read_file_list
    vocabulary = Vocabulary.read(args.vocabulary)
    if not args.other_vocabulary:
        for streams in (args.train, args.test):
            for file in read_file_list(str(streams)):
                check_streams(resolve(file, str(streams)), vocabulary, args.vocabulary)
    model = Bigrams(read_transitions(args.train), len(vocabulary))
    test = read_transitions(args.test)
    unigram, bigram = model.perplexities(test)
    print(f"{len(test)} words: unigram perplexity {unigram:.2f}, bigram perplexity {bigram:.2f}")
    return 0
