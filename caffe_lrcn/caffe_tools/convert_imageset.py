"""Store pictures and labels in a database: convert_imageset [flags] ROOTFOLDER/ LISTFILE DB.

LISTFILE has one picture a line: its name, a space, an integer label. ROOTFOLDER/ is put before
every name as it is.
"""
from __future__ import annotations

import argparse
import io
import os
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .. import glog
from ..errors import DataError, UsageError
from ..proto.caffe_pb2 import Datum
from ..sources.datum import array_to_datum
from ..sources.listing import PictureList, read_picture_list
from ..sources.picture import read_picture
from ..sources.picture_file import FORMATS, open_picture
from ..sources.resize import resize
from .program import Parser
from .records import RecordWriter

_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N")
_JPEG_QUALITY = 95  # OpenCV's


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's convert_imageset, and the seed of its shuffling."""
    for name in ("root", "list", "database"):
        parser.add_argument(name)
    parser.add_switch("gray", "store one channel instead of BGR")
    parser.add_switch("shuffle", "store pictures in a random order")
    parser.add_argument("--seed", type=int, default=1, help="of the random order")
    parser.add_argument("--backend", default="lmdb", help="lmdb or leveldb")
    parser.add_argument("--resize_width", type=int, default=0)
    parser.add_argument("--resize_height", type=int, default=0, help="both or neither")
    parser.add_switch("check_size", "stop if pictures differ in size")
    parser.add_switch("encoded", "store picture files instead of pixels")
    parser.add_argument("--encode_type", default="", help="the files' format: png, jpg, …")


def run(args: argparse.Namespace) -> int:
    """Make the database; return the exit code."""
    size = (args.resize_height, args.resize_width)
    options = ImagesetOptions(args.gray, args.shuffle, args.seed, size if min(size) > 0 else None,
                              args.check_size, args.encoded, args.encode_type)
    convert_imageset(args.root, args.list, args.database, options, args.backend)
    return 0


@dataclass(frozen=True)
class ImagesetOptions:
    """How pictures are stored.

    Args:
        gray: one channel instead of BGR.
        shuffle: in a random order, drawn from ``seed``.
        size: (height, width) to resize to, or None.
        check_size: all pictures must have the number of pixels of the first.
        encoded: store picture files instead of pixels.
        encode_type: extension of the files' format, e.g. ``png``; implies ``encoded``. Without it
            each picture keeps its own format.
    """

    gray: bool = False
    shuffle: bool = False
    seed: int = 1
    size: tuple[int, int] | None = None
    check_size: bool = False
    encoded: bool = False
    encode_type: str = ""


def convert_imageset(root: str, list_file: str, database: str, options: ImagesetOptions,
                     kind: str = "lmdb") -> int:
    """Store the pictures of a list in a new database and return how many there were.

    Keys are the line's number from 0 (or place in the shuffled order), eight digits, an underscore
    and the picture's name. Pictures that cannot be read are named in the log and left out.

    Args:
        root: written before every name as it is, hence ending in a slash.
        list_file: lines of name, space, label.
        database: the folder to make.

    Raises:
        DataError: the list is missing or empty, the database exists, or a size differs.

    Source: Caffe tools/convert_imageset.cpp.
    """
    pictures = read_picture_list(list_file)
    glog.info("A total of %d images.", len(pictures))
    size = None
    with RecordWriter(database, kind) as writer:
        for number, entry in _order(pictures, options):
            name = pictures.names[entry]
            try:
                datum, shape = picture_datum(root + name, int(pictures.labels[entry]), options)
            except DataError as error:
                glog.error("%s:%d: %s; left out", list_file, pictures.lines[entry], error)
                continue
            if options.check_size and size not in (None, shape):
                raise DataError(
                    f"picture '{root + name}' has another size than those before it",
                    where=f"{list_file}:{pictures.lines[entry]}", got=_show(shape),
                    wanted=_show(size), remedy="Give -resize_height and -resize_width")
            size = shape
            writer.put(f"{number:08d}_{name}", datum)
    return writer.count


def picture_datum(path: str, label: int,
                  options: ImagesetOptions) -> tuple[Datum, tuple[int, ...]]:
    """Return a picture as a record, and its (height, width, channels).

    A file is stored as it is if it has the wanted format, size and number of channels.

    Raises:
        DataError: the picture cannot be read.
        UsageError: the wanted format is none that can be written.

    Source: Caffe util/io.cpp (ReadImageToDatum).
    """
    pixels = read_picture(path, color=not options.gray)
    if options.size:
        pixels = resize(pixels, *options.size)
    form = _form(path, options)
    if not form:
        datum = array_to_datum(np.ascontiguousarray(pixels.transpose(2, 0, 1)), label)
        datum.encoded = False  # written out, as Caffe does
    elif not options.size and _form_of(path) == form and _is_grey(path) == options.gray:
        with open(path, "rb") as file:
            datum = Datum(data=file.read(), label=label, encoded=True)
    else:
        datum = Datum(data=encode_picture(pixels, form), label=label, encoded=True)
    return datum, pixels.shape


def encode_picture(pixels: np.ndarray, extension: str) -> bytes:
    """Return (H, W, 3) BGR or (H, W, 1) grey uint8 pixels as a picture file.

    Args:
        extension: names the format, without a dot.

    Raises:
        UsageError: there is no such format, or it cannot be written.

    Source: OpenCV's imencode, with its JPEG quality of 95.
    """
    form = Image.registered_extensions().get("." + extension.lower())
    if form not in FORMATS:
        raise UsageError("pictures of this type cannot be written", got=extension,
                         wanted="jpg, png, bmp, …", remedy="Give another -encode_type")
    plane = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels[:, :, ::-1]
    file = io.BytesIO()
    quality = {"quality": _JPEG_QUALITY} if form == "JPEG" else {}
    Image.fromarray(np.ascontiguousarray(plane)).save(file, form, **quality)
    return file.getvalue()


def _order(pictures: PictureList, options: ImagesetOptions) -> list[tuple[int, int]]:
    """Return the number in the key and the place in the list of each picture."""
    if not options.shuffle:
        # The line, not the entry: blank lines count.
        return [(int(line) - 1, entry) for entry, line in enumerate(pictures.lines)]
    glog.info("Shuffling data")
    order = np.random.default_rng(options.seed).permutation(len(pictures))
    return [(number, int(entry)) for number, entry in enumerate(order)]


def _form(path: str, options: ImagesetOptions) -> str:
    if options.encode_type:
        return _same(options.encode_type)
    if not options.encoded:
        return ""
    form = _form_of(path)
    if not form:
        glog.info("Failed to guess the encoding of '%s'", path)
    return form


def _form_of(path: str) -> str:
    return _same(os.path.splitext(path)[1][1:])


def _same(extension: str) -> str:
    """Return one name for the extensions of JPEG."""
    return {"jpeg": "jpg"}.get(extension.lower(), extension.lower())


def _is_grey(path: str) -> bool:
    with open_picture(path) as picture:
        return picture.mode in _GREY_MODES


def _show(shape: tuple[int, ...] | None) -> str:
    return " x ".join(map(str, shape or ())) + " (height x width x channels)"
