#!/usr/bin/env python3
"""Make picture files square: the short side is resized, the middle is kept.

Without --input all pictures below --input_folder are converted.
"""
import argparse
import sys

from caffe_lrcn.cli.program import Parser, run_program


def parser() -> Parser:
    """Return the flags of Caffe's resize_and_crop_images.py."""
    flags = Parser(__doc__)
    flags.add_argument("--image_lib", default="opencv", help="resize as opencv or PIL does")
    flags.add_argument("--input_folder", required=True)
    flags.add_argument("--output_folder", required=True)
    flags.add_argument("--output_side_length", type=int, default=256, help="in pixels")
    flags.add_argument("--input", help="a file that names the pictures, one a line")
    flags.add_argument("--num_clients", type=int, default=1, help="processes that share the work")
    return flags


def work(args: argparse.Namespace) -> None:
    """Convert the pictures."""
    from caffe_lrcn.caffe_tools.square_pictures import make_square, picture_files
    from caffe_lrcn.errors import DataError
    from caffe_lrcn.sources.listing import read_text
    names = ([line.strip() for line in read_text(args.input).splitlines() if line.strip()]
             if args.input else picture_files(args.input_folder))
    failed = make_square(names, args.input_folder, args.output_folder, args.output_side_length,
                         args.image_lib, args.num_clients)
    print(f"{len(names) - len(failed)} pictures written to {args.output_folder}")
    if failed:
        raise DataError(f"{len(failed)} of {len(names)} pictures could not be converted")


if __name__ == "__main__":
    sys.exit(run_program(parser(), work))
