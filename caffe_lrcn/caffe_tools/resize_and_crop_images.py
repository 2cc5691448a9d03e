"""Make picture files square: the short side is resized, the middle is kept.

Without --input all pictures below --input_folder are converted.
"""
from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from .. import glog
from ..errors import DataError, UsageError
from ..files import replacing
from ..paths import stays_below
from ..sources.listing import read_text
from ..sources.picture import read_picture
from ..sources.picture_file import FORMATS
from ..sources.resize import resize
from .program import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's resize_and_crop_images.py."""
    parser.add_argument("--image_lib", default="opencv", help="resize as opencv or PIL does")
    parser.add_argument("--input_folder", required=True)
    parser.add_argument("--output_folder", required=True)
    parser.add_argument("--output_side_length", type=int, default=256, help="in pixels")
    parser.add_argument("--input", help="a file that names the pictures, one per line")
    parser.add_argument("--num_clients", type=int, default=1, help="threads that share the work")


def run(args: argparse.Namespace) -> int:
    """Convert the pictures; return the exit code."""
    names = ([line.strip() for line in read_text(args.input).splitlines() if line.strip()]
             if args.input else picture_files(args.input_folder))
    failed = make_square(names, args.input_folder, args.output_folder, args.output_side_length,
                         args.image_lib, args.num_clients)
    print(f"{len(names) - len(failed)} pictures written to {args.output_folder}")
    if failed:
        raise DataError(f"{len(failed)} of {len(names)} pictures could not be converted")
    return 0


def square_opencv(path: str, side: int) -> Image.Image:
    """Return a picture whose short side is resized to ``side`` as OpenCV does it, and its middle.

    Raises:
        DataError: the picture cannot be read.
    """
    pixels = read_picture(path)
    height, width = pixels.shape[:2]
    scale = side / min(height, width)
    new_height, new_width = ((side, int(width * scale)) if height < width
                             else (int(height * scale), side))
    # int() of 255.999… would miss a pixel of the side.
    resized = resize(pixels, max(new_height, side), max(new_width, side))
    top, left = (resized.shape[0] - side) // 2, (resized.shape[1] - side) // 2
    middle = resized[top:top + side, left:left + side, ::-1]
    return Image.fromarray(np.ascontiguousarray(middle))


def square_pil(path: str, side: int) -> Image.Image:
    """Return the same with Pillow's antialiased resizing.

    Raises:
        DataError: the picture cannot be read.
    """
    picture = Image.fromarray(np.ascontiguousarray(read_picture(path)[:, :, ::-1]))
    return ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)


#: How pictures are resized, by the name of the library that does it so.
LIBRARIES: dict[str, Callable[[str, int], Image.Image]] = {
    "opencv": square_opencv, "PIL": square_pil}


def make_square(names: list[str], input_folder: str, output_folder: str, side: int = 256,
                library: str = "opencv", workers: int = 1) -> list[str]:
    """Write a square version of each picture under its own name; return those that failed.

    Args:
        names: pictures below ``input_folder``; subfolders are made in ``output_folder``.
        side: pixels of the squares' sides.
        library: a key of ``LIBRARIES``.
        workers: threads that share the work.

    Raises:
        UsageError: an unknown library, or a side that is not positive.

    Source: Caffe tools/extra/resize_and_crop_images.py.
    """
    if library not in LIBRARIES:
        raise UsageError("unknown way to resize", got=library, wanted=" or ".join(LIBRARIES))
    if side < 1:
        raise UsageError("the side of a square is 1 or more", got=side)
    work = partial(_convert, input_folder, output_folder, side, library)
    with ThreadPoolExecutor(max(1, workers)) as pool:
        problems = list(pool.map(work, names))
    for problem in filter(None, problems):
        glog.error("%s; left out", problem)
    return [name for name, problem in zip(names, problems, strict=True) if problem]


def picture_files(folder: str) -> list[str]:
    """Return the paths of pictures in a folder and below it, from there on, sorted.

    Raises:
        UsageError: there is none.
    """
    endings = tuple(ending for ending, form in Image.registered_extensions().items()
                    if form in FORMATS)
    found = sorted(os.path.relpath(os.path.join(parent, name), folder)
                   for parent, _, names in os.walk(folder) for name in names
                   if name.lower().endswith(endings))
    if not found:
        raise UsageError("there are no pictures", where=folder)
    return found


def _format(name: str) -> str:
    form = Image.registered_extensions().get(os.path.splitext(name)[1].lower(), "")
    if form not in FORMATS:
        raise DataError("the name has no ending of a picture format", wanted=", ".join(FORMATS))
    return form


def _convert(input_folder: str, output_folder: str, side: int, library: str, name: str) -> str:
    """Convert one picture; return what went wrong, or nothing."""
    target = os.path.join(output_folder, name)
    try:
        if not stays_below(name):
            raise DataError("the name leads out of the output folder")
        picture = LIBRARIES[library](os.path.join(input_folder, name), side)
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        with replacing(target, DataError, "the picture") as written:
            picture.save(written, _format(name))
    except (DataError, OSError, ValueError) as error:
        return f"{name}: {error}"
    return ""
