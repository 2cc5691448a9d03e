"""Opening picture files: the one place where Pillow is handed a file that somebody else made."""
from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from ..errors import CaffeError, DataError, UsageError

#: Formats that are read. Pillow knows others, for some of which it runs other programs
#: (Ghostscript for EPS); which one a file has is told by its first bytes, never by its name.
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "PPM", "GIF", "WEBP")
#: Name of the environment variable for the most pixels of a picture; by default Pillow's limit.
MAX_PIXELS = "CAFFE_LRCN_MAX_PIXELS"

# First bytes of formats that are not read, to call them by their names.
_OTHERS = {b"%!PS": "EPS", b"\xc5\xd0\xd3\xc6": "EPS", b"%PDF": "PDF", b"DDS ": "DDS",
           b"8BPS": "PSD", b"\x00\x00\x00\x0cjP": "JPEG 2000", b"\x00\x00\x01\x00": "ICO",
           b"<svg": "SVG", b"<?xml": "XML or SVG", b"\xd7\xcd\xc6\x9a": "WMF",
           b"icns": "ICNS", b"\x01\xda": "SGI", b"gimp": "XCF", b"qoif": "QOI"}
_BOXES = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF"}


@contextmanager
def open_picture(file: str | os.PathLike[str] | bytes) -> Iterator[Image.Image]:
    """Open a picture, and turn whatever goes wrong with it in the block into an error.

    Args:
        file: a path, or a picture file's content.

    Raises:
        DataError: the file is missing, no ordinary file, of a format that is not in ``FORMATS``, or
            damaged; or the picture has more pixels than allowed (see ``pixel_limit``).
    """
    limit = pixel_limit()
    if isinstance(file, bytes):
        what, cannot = "the encoded picture", "cannot be decoded"
    else:
        what, cannot = f"picture '{os.fspath(file)}'", "cannot be read"
    try:
        if not isinstance(file, bytes):
            check_is_file(file)
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file,
                        formats=FORMATS) as picture:
            _check_size(picture, limit, what)
            yield picture
    except CaffeError:
        raise
    except FileNotFoundError:
        raise DataError(f"{what} is missing") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(what, str(error).partition(",")[0], limit) from None
    except UnidentifiedImageError as error:
        raise DataError(f"{what} {cannot}", got=_name(file) or error,
                        wanted=", ".join(FORMATS)) from None
    except MemoryError:
        raise DataError(f"{what} does not fit in the memory") from None
    except Exception as error:  # Pillow's decoders raise whatever damaged bytes lead them to
        raise DataError(f"{what} {cannot}", got=str(error)) from error


def check_is_file(path: str | os.PathLike[str]) -> None:
    """See that a picture's path is that of an ordinary file: others may never end.

    Raises:
        DataError: it is a folder, a pipe or a device.
        OSError: it is missing.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise DataError(f"picture '{os.fspath(path)}' cannot be read",
                        got="a folder, a pipe or a device")


def pixel_limit() -> int | None:
    """Return the most pixels that a picture may have; None if any number is allowed.

    It is Pillow's own limit, ``PIL.Image.MAX_IMAGE_PIXELS``; the environment variable sets that.

    Raises:
        UsageError: the environment variable is not a whole number.
    """
    given = os.environ.get(MAX_PIXELS)
    if given:
        if not given.isdecimal() or not int(given):
            raise UsageError(f"the environment variable {MAX_PIXELS} is not a number of pixels",
                             got=given, wanted="a whole number from 1 on")
        Image.MAX_IMAGE_PIXELS = int(given)
    return Image.MAX_IMAGE_PIXELS


def _check_size(picture: Image.Image, limit: int | None, what: str) -> None:
    width, height = picture.size
    if limit is not None and width * height > limit:
        raise _too_large(what, f"{width} x {height} = {width * height} pixels", limit)


def _too_large(what: str, got: str, limit: int | None) -> DataError:
    return DataError(f"{what} is too large", got=got, wanted=f"at most {limit} pixels",
                     remedy="Make it smaller, or set the environment variable "
                            f"{MAX_PIXELS} if you trust the file and have the memory.")


def _name(file: str | os.PathLike[str] | bytes) -> str | None:
    """Return the format of a file that is not read, if it is known by its first bytes."""
    if isinstance(file, bytes):
        head = file[:16]
    else:
        with open(file, "rb") as stream:
            head = stream.read(16)
    if not head:
        return "an empty file"
    known = [name for start, name in _OTHERS.items() if head.startswith(start)]
    if head[4:8] == b"ftyp" and head[8:12] in _BOXES:
        known = [_BOXES[head[8:12]]]
    return f"a file of the format {known[0]}" if known else None
