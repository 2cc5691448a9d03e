"""Files with wrong bytes: an error of ours that names the file, or contents; never a traceback."""
from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import CaffeError
from caffe_lrcn.inspection.contents import as_text, contained_prototxt, read_contents
from caffe_lrcn.proto.text import read_net, read_solver
from caffe_lrcn.proto.upgrade_file import upgrade_net_file, upgrade_solver_file
from caffe_lrcn.proto.weights_io import read_blob_proto, read_solverstate
from caffe_lrcn.proto.wire import encode_bytes, encode_header

from .weight_bytes import GOLDEN

SOLVERS = GOLDEN / "solvers"
V0 = encode_bytes(2, encode_bytes(1, encode_bytes(1, b"conv1") + encode_bytes(2, b"conv")
                                  + b"\x18\x08") + encode_bytes(2, b"data"))
V1 = encode_bytes(2, encode_bytes(2, b"a") + encode_bytes(3, b"b") + encode_bytes(4, b"n")
                  + b"\x28\x04" + encode_bytes(10, b"\x08\x03"))
INPUT = encode_bytes(1, b"net") + encode_bytes(3, b"data") + b"\x20\x01" * 4
SPLIT = b"".join(
    encode_bytes(100, encode_bytes(1, name) + encode_bytes(2, kind) + blobs)
    for name, kind, blobs in ((b"l", b"Power", encode_bytes(4, b"x")),
                              (b"x_l_0_split", b"Split", encode_bytes(3, b"x")
                               + encode_bytes(4, b"x_l_0_split_0") + b"\x2d\0\0\x80\x3f")))
ARRAY = b"\x08\x01\x10\x03\x18\x02\x20\x02" + encode_header(5, 48) + bytes(48)



def _inspected(path: str) -> None:
    contents = read_contents(path)
    as_text(path, contents)
    if contents.weights:
        contained_prototxt(contents, path)


def _upgraded(path: str) -> None:
    upgrade_net_file(path).write(io.BytesIO())


def _upgraded_solver(path: str) -> None:
    upgrade_solver_file(path).write(io.BytesIO())


WEIGHTS = [(SOLVERS / "sgd_iter_6.caffemodel").read_bytes()[:2000], V0, V1, INPUT + V1, SPLIT]
STATE = b"\x08\x06" + encode_bytes(2, b"x.caffemodel") + encode_bytes(3, ARRAY) + b"\x20\x01"
NET = (SOLVERS / "mini_lrcn.prototxt").read_bytes()
SOLVER = (SOLVERS / "adam_solver.prototxt").read_bytes()
CASES: dict[str, tuple[list[bytes], list[Callable[[str], object]]]] = {
    "weights": (WEIGHTS, [_inspected, _upgraded, _upgraded_solver]),
    "array": ([ARRAY], [_inspected, read_blob_proto]),
    "state": ([STATE], [_inspected, read_solverstate]),
    "net": ([NET], [read_net, _upgraded]),
    "solver": ([SOLVER], [read_solver, _upgraded_solver]),
}


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with up to four places changed, cut, doubled or put in."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at, size = rng.randrange(len(out) + 1), rng.randint(0, 4)
        piece = (rng.randbytes(rng.randint(0, 4)), bytes(out[at:at + 8]) * 2, b"\xff", b"\x80"
                 )[rng.randrange(4)]
        out[at:at + size] = piece
    return bytes(out[:rng.randrange(len(out) + 1)] if rng.random() < 0.2 else out)


@pytest.mark.parametrize("kind", CASES)
def test_mutations_are_read_or_refused(tmp_path, kind):
    seeds, readers = CASES[kind]
    rng = random.Random(kind)
    path = str(tmp_path / "file")
    for number in range(250):
        data = mutated(seeds[number % len(seeds)], rng)
        Path(path).write_bytes(data)
        for read in readers:
            try:
                read(path)
            except CaffeError as error:
                assert str(error).startswith(path), (data, error)
            except Exception as error:
                raise AssertionError(f"{read.__name__} of {data!r}") from error


@pytest.mark.parametrize("data", [bytes.fromhex("1203220180"), bytes.fromhex("1203120180")])
@pytest.mark.parametrize("command", [["inspect", "{}"], ["inspect", "{}", "--prototxt", "-"],
                                     ["upgrade", "net", "{}", "{}.new"]])
def test_names_that_are_not_utf_8_have_replacement_characters(tmp_path, capsys, data, command):
    path = tmp_path / "x.caffemodel"
    path.write_bytes(data)
    assert main([word.format(path) for word in command]) in (0, 1)
    output = capsys.readouterr()
    assert "Traceback" not in output.out + output.err


def test_a_definition_keeps_its_fields_beside_a_string_that_is_not_utf_8(tmp_path):
    layer = (encode_bytes(1, b"caf\xe9") + encode_bytes(2, b"ReLU") + encode_bytes(3, b"b\xff")
             + encode_bytes(4, b"top") + encode_bytes(8, b"\x08\x01"))
    path = tmp_path / "x.caffemodel"
    path.write_bytes(encode_bytes(100, layer))
    text = contained_prototxt(read_contents(str(path)), str(path))
    assert 'name: "caf\N{REPLACEMENT CHARACTER}"' in text and 'top: "top"' in text
    assert "phase: TEST" in text
