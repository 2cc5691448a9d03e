#!/usr/bin/env python3
"""Score windows of pictures: detect.py INPUT OUTPUT [flags].

INPUT is a table (.csv) with the columns filename, ymin, xmin, ymax and xmax; OUTPUT is a table
(.csv) or an HDF5 file (.h5).
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, add_model_flags, run_program


def parser() -> Parser:
    """Return the flags of Caffe's detect.py."""
    flags = Parser(__doc__)
    flags.add_argument("input_file")
    flags.add_argument("output_file")
    add_model_flags(flags)
    flags.add_argument("--crop_mode", default="selective_search",
                       choices=("list", "selective_search"),
                       help="list: windows of a table; the default's proposals are not included")
    flags.add_argument("--context_pad", type=int, default=16,
                       help="pixels of the input around a window")
    return flags


def work(args: argparse.Namespace) -> None:
    """Score the windows."""
    import time

    import caffe_lrcn as caffe
    from caffe_lrcn.caffe_tools.detections import read_windows, write_detections
    from caffe_lrcn.caffe_tools.image_mean import read_mean
    from caffe_lrcn.caffe_tools.pictures import numbers
    from caffe_lrcn.paths import resolve
    if args.gpu:
        caffe.set_mode_gpu()
    mean = read_mean(args.mean_file)
    detector = caffe.Detector(
        resolve(args.model_def), args.pretrained_model,
        None if mean is None else mean.mean(axis=(1, 2)), args.input_scale, args.raw_scale,
        numbers(args.channel_swap), args.context_pad)
    start = time.monotonic()
    if args.crop_mode == "list":
        found = detector.detect_windows(read_windows(args.input_file))
    else:
        found = detector.detect_selective_search([args.input_file])
    print(f"Processed {len(found)} windows in {time.monotonic() - start:.3f} s.")
    write_detections(args.output_file, found)


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
