"""Damaged files of every kind: each is read, or refused by an error of the package.

Pictures, HDF5, LMDB, resume files and what ``proto`` reads have tests of this kind of their own,
beside the other tests of their readers.
"""
from __future__ import annotations

import json
import os
import zlib

import numpy as np
import pytest

from caffe_lrcn.caffe_tools.convert_cifar_data import _read as read_cifar
from caffe_lrcn.caffe_tools.convert_mnist_data import read_mnist
from caffe_lrcn.caffe_tools.detect import read_windows
from caffe_lrcn.caffe_tools.extract_seconds import elapsed_seconds
from caffe_lrcn.caffe_tools.parse_log import parse_log, write_tables
from caffe_lrcn.errors import CaffeError
from caffe_lrcn.language.caption_files import read_captions, read_image_ids, read_keys
from caffe_lrcn.language.result_files import read_results
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.proto.caffe_pb2 import Datum
from caffe_lrcn.solver.csv_log import CsvLog, Mark
from caffe_lrcn.sources.array_file import read_array
from caffe_lrcn.sources.datum import array_to_datum, parse_datum, parse_picture
from caffe_lrcn.sources.listing import read_file_list, read_picture_list
from caffe_lrcn.sources.records.images import ImageRecords
from caffe_lrcn.sources.records.windows import WindowRecords
from caffe_lrcn.sources.window_list import read_window_list
from caffe_lrcn.tasks.captioning.pictures import read_list
from caffe_lrcn.tasks.description import roles_json
from caffe_lrcn.tasks.description.feature_files import open_features
from caffe_lrcn.tasks.description.lattice import FEATURES
from caffe_lrcn.tasks.description.trained_slots import read_slots
from caffe_lrcn.tasks.description.translation_file import read_translator
from caffe_lrcn.tasks.toy.dataset import read_scenes

ROUNDS = 100
#: What readers stumble over: zeros, ends of lines, marks of many formats, numbers without measure.
TOKENS = [b"\0", b"\n", b"\r\n", b"\xff\xfe", b"\xed\xa0\x80", b'"', b"'", b",", b"\t", b"#", b"{",
          b"}", b"[", b"]", b"[" * 2000, b"9" * 5000, b"-1", b"1e999", b"nan", b"inf", b"null",
          b"true", b"1.5", b"\\u0000", b"\\ud800", b"../../x", b"/dev/zero", b" " * 5000,
          b"\xe2\x80\xa8", b"\x1b[2J", b"9223372036854775808", b"4294967295", b"<unk>", b""]

LOG = b"""I1122 16:00:00.123456 12345 solver.py:218] Solving x
I1122 16:00:01.123456 12345 solver.py:218] Iteration 0, loss = 1.5
I1122 16:00:01.223456 12345 solver.py:218]     Train net output #0: loss = 1.5 (* 1 = 1.5 loss)
I1122 16:00:01.323456 12345 solver.py:218] Iteration 0, lr = 0.01
I1122 16:00:02.123456 12345 solver.py:218] Iteration 100, Testing net (#0)
I1122 16:00:02.223456 12345 solver.py:218]     Test net output #0: accuracy = 0.5
"""
COCO = json.dumps({"images": [{"id": 1, "file_name": "a.jpg"}, {"id": "b", "file_name": "b.jpg"}],
                   "annotations": [{"image_id": 1, "caption": "A dog."},
                                   {"image_id": "b", "caption": "Two, or one."}]}).encode()
TOY = json.dumps({"images": [{"file_name": "a.png", "relation": None, "things": [
    {"shape": "square", "color": "red", "size": "small"}]}]}).encode()

ROLES = json.dumps({"maximum": "joint", "slots": [
    {"name": "tool", "labels": ["none", "knife"]}, {"name": "object", "labels": ["egg", "leek"]}],
    "clips": [{"id": name, "video": "a.avi", "roles": {"tool": "knife", "object": "egg"},
               "probabilities": {"tool": [0.25, 0.75], "object": [0.5, 0.5]},
               "sentences": ["He cuts."]} for name in "ab"]}).encode()
MODEL = json.dumps({
    "format": "caffe_lrcn translation 1",
    "slots": [{"name": "tool", "labels": ["none", "knife"]}], "about": {"file": "a.json"},
    "recipe": {"order": 2, "iterations": 5, "phrase": 7, "lattice": 1, "stack": 20, "limit": 20,
               "seed": 1}, "held_out": [3, 0.5],
    "weights": dict.fromkeys(FEATURES, 0.25), "words": ["<s>", "cuts", "</s>"],
    "ngrams": [[0, 1], [1, 1], [2, 1], [0, 1, 1], [1, 2, 1]],
    "phrases": [[[1], [1], [0.0, -0.5, 0.0, 0.0]]]}).encode()


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a file's bytes with a few of them flipped, put in, left out or moved."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        start = int(rng.integers(0, len(changed) + 1))
        end = min(len(changed), start + int(rng.integers(0, 9)))
        way = rng.integers(0, 5)
        if way == 0 and start < len(changed):
            changed[start] ^= 1 << int(rng.integers(0, 8))
        elif way == 1:
            changed[start:end] = TOKENS[rng.integers(0, len(TOKENS))]
        elif way == 2:
            del changed[start:]
        elif way == 3:
            changed[start:start] = changed[end:end + 40]
        else:
            changed[start:end] = rng.bytes(end - start)
    return bytes(changed)


def read_pictures_of(path):
    listed = read_picture_list(path)
    records = ImageRecords(listed, beside=(path,))
    records.missing()
    for number in range(min(3, len(listed))):
        next(records.read(np.array([number])))


def read_windows_of(path):
    listed = read_window_list(path, 0.5, 0.5)
    for cache in (False, True):
        records = WindowRecords(listed, beside=(path,), cache=cache)
        for number in range(min(3, records.count)):
            next(records.read(np.array([number])))


def read_datum(path):
    with open(path, "rb") as file:
        content = file.read()
    parse_datum(content)
    for color in (True, False, None):
        parse_picture(content, color)


def read_log(path):
    elapsed_seconds(path)
    write_tables(parse_log(path), path, os.path.dirname(path))


def cut_csv(path):
    with open(path, "rb") as file:
        head = file.read(30)
    log = CsvLog(path, [("loss", 1)])
    log.cut(Mark(len(head), zlib.crc32(head)))
    log.write(7, "train", 0.1, 0.5, [])
    log.close()


def read_labels(path):
    images = os.path.join(os.path.dirname(path), "images.idx")
    with open(images, "wb") as file:
        file.write(b"\0\0\x08\x03" + b"\0\0\0\x02" * 3 + bytes(8))
    read_mnist(images, path)


def read_frames(path):
    with open(path, "rb") as file:
        named = b"_" in file.read()
    features = open_features(path, first=None if named else 7)
    for video in features.counts:
        features.read(video)


def datum(encoded: bool) -> bytes:
    if encoded:
        png = bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
            "789c63f8cfc000000301010018dd8db00000000049454e44ae426082")
        return Datum(encoded=True, data=png, label=3).SerializeToString()
    return array_to_datum(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), 5).SerializeToString()


READERS = {
    "picture list": (b"a.png 1\nb c.png 2\n\nd.png -3\n", read_pictures_of),
    "file list": (b"a.h5 b.h5\nc.h5\n", read_file_list),
    "caption list": (b"a.png\nb.jpg 3\n", read_list),
    "window list": (b"# 0\na.png\n3\n4\n5\n2\n1 0.9 0 0 3 3\n0 0.1 1 1 2 2\n# 1\nb.png\n3 4 5 1\n"
                    b"2 .7 0 0 1 1\n", read_windows_of),
    "Datum": (datum(False), read_datum),
    "encoded Datum": (datum(True), read_datum),
    "COCO captions": (COCO, lambda path: read_captions("coco", path)),
    "COCO ids": (COCO, read_image_ids),
    "COCO results": (b'[{"image_id": 1, "caption": "A dog."}, {"image_id": "b", "caption": "x"}]',
                     lambda path: read_results(path, {"1": ["a"], "b": ["b"]})),
    "Flickr tokens": (b"a.jpg#0\tA dog .\nb.jpg#1\tTwo .\n", lambda p: read_captions("flickr", p)),
    "Flickr CSV": (b'image,caption\na.jpg,A dog .\nb.jpg,"One, two"\n',
                   lambda path: read_captions("flickr", path)),
    "Flickr bars": (b"image_name| comment_number| comment\na.jpg| 0| A dog .\nb.jpg| 1 Two\n",
                    lambda path: read_captions("flickr", path)),
    "split": (b"1\n2\n", read_keys),
    "vocabulary": (b"<unk>\na\ndog\n.\n", Vocabulary.read),
    "npy": (b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
            + b" " * 56 + b"\n" + bytes(24), lambda path: read_array(path, "the array")),
    "training log": (LOG, read_log),
    "CSV log": (b"iteration,net,lr,mean_loss,loss\n1,train,0.1,0.5,0.5\n", cut_csv),
    "windows of detect": (b"filename,ymin,xmin,ymax,xmax\na.png,1,2,3,4\n", read_windows),
    "idx": (b"\0\0\x08\x01\0\0\0\x02\0\1", read_labels),
    "CIFAR": (bytes(3073), read_cifar),
    "roles": (ROLES, roles_json.read),
    "translation": (MODEL, read_translator),
    "slots": (b'{"vocabulary_sha256": "ab", "slots": [{"name": "a", "labels": ["x", "y"]}]}',
              read_slots),
    "toy captions": (TOY, read_scenes),
    "sentences": (b"v1\ta dog runs\nv2\tdogs\nv1\tit runs\n", lambda p: read_captions("tab", p)),
    "predictions": (b"b\tv1\tA dog.\nb\tv2\tDogs.\n",
                    lambda path: read_results(path, {"v1": ["a"], "v2": ["b"]})),
    "vocabulary of S2VT": (b"<en_unk>\na 3\ndog 2\n", Vocabulary.read),
    "features": (b"v1_1,1,2.5,-3\nv1_2,4e-1,5,6\nv2_1,7,8,9\n", read_frames),
    "features without names": (b"1,2.5,-3\n4e-1,5,6\n", read_frames),
}


@pytest.mark.parametrize("name", READERS)
def test_damaged_files(tmp_path, name):
    content, read = READERS[name]
    path, rng = str(tmp_path / "a.log"), np.random.default_rng(sum(name.encode()))
    for number in range(ROUNDS):
        with open(path, "wb") as file:
            file.write(damage(content, rng) if number else content)
        try:
            read(path)
        except CaffeError as error:
            assert len(str(error)) < 9000, "a message that fills the screen"
