"""Which files are opened as pictures, everywhere: formats, kinds of files, sizes."""
from __future__ import annotations

import ast
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caffe_lrcn
from caffe_lrcn.caffe_tools.classify import load_pictures
from caffe_lrcn.caffe_tools.convert_imageset import ImagesetOptions, picture_datum
from caffe_lrcn.caffe_tools.resize_and_crop_images import make_square
from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.io import load_image
from caffe_lrcn.sources.picture import decode_picture, read_picture
from caffe_lrcn.sources.picture_file import FORMATS, MAX_PIXELS, open_picture
from caffe_lrcn.tasks.captioning.gallery import Captioned, write_gallery

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
READERS = [read_picture, load_image, lambda path: load_pictures(path, "jpg"),
           lambda path: picture_datum(path, 0, ImagesetOptions(encoded=True)),
           lambda path: decode_picture(Path(path).read_bytes()),
           lambda path: decode_picture(Path(path).read_bytes(), None)]
every_reader = pytest.mark.parametrize("read", READERS)


def png(width: int, height: int) -> bytes:
    """Return a valid black picture, which takes about a thousandth of its pixels in bytes."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    pack, rows = zlib.compressobj(9), []
    for _ in range(height):
        rows.append(pack.compress(b"\0" * (3 * width + 1)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"".join(rows) + pack.flush()
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data)
            + chunk(b"IEND", b""))


def test_pictures_are_opened_in_one_place():
    opened = []
    for path in Path(caffe_lrcn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "Image.open":
                opened.append(path.name)
    assert opened == ["picture_file.py"]


@pytest.mark.parametrize("form", FORMATS)
def test_formats_that_are_read(tmp_path, form):
    Image.new("RGB", (4, 3), (10, 20, 30)).save(tmp_path / "a.xyz", form)
    assert read_picture(str(tmp_path / "a.xyz")).shape == (3, 4, 3)


@every_reader
def test_nothing_is_handed_to_ghostscript(tmp_path, monkeypatch, read):
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "e.jpg").write_bytes(EPS)
    with pytest.raises(DataError, match="format EPS, wanted JPEG, PNG"):
        read(str(tmp_path / "e.jpg"))
    assert not (tmp_path / "ran").exists()


def test_a_page_and_the_squares_do_without_it(tmp_path):
    (tmp_path / "e.jpg").write_bytes(EPS)
    write_gallery(tmp_path / "a.html", "a", "b", [Captioned("e", str(tmp_path / "e.jpg"))])
    assert "<img" not in (tmp_path / "a.html").read_text()
    assert make_square(["e.jpg"], str(tmp_path), str(tmp_path / "out")) == ["e.jpg"]


@pytest.mark.parametrize("name", ["../up.png", "/tmp/up.png", "a/../../up.png", "a.eps", "a.pdf"])
def test_squares_are_written_as_pictures_below_their_folder(tmp_path, name):
    (tmp_path / "a").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "up.png")
    for other in ("a.eps", "a.pdf"):
        (tmp_path / other).write_bytes((tmp_path / "up.png").read_bytes())
    before = sorted(tmp_path.rglob("*"))
    assert make_square([name], str(tmp_path / "a"), str(tmp_path / "out")) == [name]
    assert sorted(tmp_path.rglob("*")) == before


@every_reader
@pytest.mark.parametrize("head, name", [
    (b"DDS |\0\0\0", "DDS"), (b"%PDF-1.7", "PDF"), (b"8BPS\0\1", "PSD"),
    (b"\0\0\0\x1cftypavif", "AVIF"), (b"\0\0\0\x0cjP  ", "JPEG 2000")])
def test_other_formats_are_named(tmp_path, read, head, name):
    (tmp_path / "a.png").write_bytes(head + bytes(200))
    with pytest.raises(DataError, match=f"a file of the format {name}, wanted JPEG, PNG, BMP"):
        read(str(tmp_path / "a.png"))


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(DataError, match="a folder, a pipe or a device"):
            read_picture(str(path))
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="an empty file"):
        read_picture(str(tmp_path / "empty"))
    with pytest.raises(DataError, match="cannot be read"):
        read_picture("a\0b.png")


@every_reader
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [11, 20, 200])
def test_too_many_pixels_are_refused_by_the_header(tmp_path, monkeypatch, read, side):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 120)
    (tmp_path / "a.png").write_bytes(png(side, side))
    with pytest.raises(DataError, match="too large .*wanted at most 120 pixels.*" + MAX_PIXELS):
        read(str(tmp_path / "a.png"))
    monkeypatch.setenv(MAX_PIXELS, "40000")
    read(str(tmp_path / "a.png"))


def test_the_limit_is_a_number(monkeypatch, tmp_path):
    monkeypatch.setenv(MAX_PIXELS, "1e9")
    with pytest.raises(UsageError, match=f"{MAX_PIXELS} is not a number of pixels"):
        read_picture(str(tmp_path / "a.png"))


def test_a_pixel_takes_eleven_bytes_at_most(tmp_path):
    side = 4000
    (tmp_path / "a.png").write_bytes(png(side, side))
    program = ("import resource, sys\nfrom caffe_lrcn.sources.picture import read_picture\n"
               "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
               "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
               "read_picture(sys.argv[1])\n"
               "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)")
    kilobytes = int(subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.png")],
                                   check=True, capture_output=True, text=True).stdout)
    assert kilobytes < 12 * side * side / 1024


def test_damaged_files_raise_our_error_alone():
    rng = np.random.default_rng(4)
    picture = Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8))
    for form in FORMATS:
        stream = io.BytesIO()
        picture.save(stream, form)
        for _ in range(60):
            content = bytearray(stream.getvalue())
            for _ in range(rng.integers(1, 6)):
                content[rng.integers(0, min(len(content), 150))] = rng.integers(0, 256)
            content = content[:rng.integers(1, len(content) + 40)]
            for color in (True, False, None):
                try:
                    decode_picture(bytes(content), color)
                except DataError:
                    pass


def test_the_block_of_an_open_picture_raises_its_own_errors(tmp_path):
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match="mine"), open_picture(str(tmp_path / "a.png")):
        raise UsageError("mine")
