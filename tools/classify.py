#!/usr/bin/env python3
"""Classify pictures: classify.py INPUT OUTPUT [flags].

INPUT is a picture, a folder of pictures, or a .npy file of pictures (N, H, W, C) with values
from 0 to 1; OUTPUT is a .npy file, which gets the scores (N, classes).
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, add_model_flags, run_program


def parser() -> Parser:
    """Return the flags of Caffe's classify.py."""
    flags = Parser(__doc__)
    flags.add_argument("input_file")
    flags.add_argument("output_file")
    add_model_flags(flags)
    flags.add_switch("center_only", "score the crop in the centre, not the mean of ten crops")
    flags.add_argument("--images_dim", default="256,256", help="height,width before cropping")
    flags.add_argument("--ext", default="jpg", help="ending of the pictures in a folder")
    return flags


def work(args: argparse.Namespace) -> None:
    """Score the pictures."""
    import time

    import caffe_lrcn as caffe
    from caffe_lrcn.caffe_tools.image_mean import read_mean
    from caffe_lrcn.caffe_tools.pictures import load_pictures, numbers, save_scores
    from caffe_lrcn.paths import resolve
    if args.gpu:
        caffe.set_mode_gpu()
    classifier = caffe.Classifier(
        resolve(args.model_def), args.pretrained_model, numbers(args.images_dim, 2),
        read_mean(args.mean_file), args.input_scale, args.raw_scale, numbers(args.channel_swap))
    pictures = load_pictures(args.input_file, args.ext)
    print(f"Classifying {len(pictures)} inputs.")
    start = time.monotonic()
    scores = classifier.predict(pictures, not args.center_only)
    print(f"Done in {time.monotonic() - start:.2f} s.")
    save_scores(args.output_file, scores)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
