"""What other people wrote reaches terminals, pages and drawings without control characters."""
from __future__ import annotations

import io
import logging
import os
import pty
import re
import xml.etree.ElementTree as ElementTree
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn import glog
from caffe_lrcn.cli.main import main
from caffe_lrcn.drawing.canvas import Canvas, Text
from caffe_lrcn.drawing.svg import as_svg
from caffe_lrcn.errors import CaffeError
from caffe_lrcn.language.stream_checks import Streams
from caffe_lrcn.language.stream_views import as_html
from caffe_lrcn.printable import PrintableStream, printable, printable_lines
from caffe_lrcn.proto.caffemodel import WeightLayer
from caffe_lrcn.proto.weights_io import write_weights
from caffe_lrcn.solver.console import Console
from caffe_lrcn.tasks.captioning.gallery import Captioned, write_gallery
from caffe_lrcn.tasks.captioning.output import write_outputs

#: Sets a terminal's title, clears it, rings, turns text around.
ATTACK = "\x1b]0;mine\x07\x1b[2J\x9b31m\r\u202e\x00"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")
#: The same in the text format, which has octal escapes for bytes.
IN_PROTOTXT = "".join(f"\\{byte:03o}" for byte in ATTACK.encode())

NET = f"""name: "net{IN_PROTOTXT}"
layer {{ name: "in{IN_PROTOTXT}" type: "Input" top: "x"
         input_param {{ shape {{ dim: 2 dim: 3 }} }} }}
layer {{ name: "ip{IN_PROTOTXT}" type: "InnerProduct" bottom: "x" top: "y{IN_PROTOTXT}"
         inner_product_param {{ num_output: 2 }} }}
"""


def test_what_is_spelled_out():
    assert printable("a\x1b[2J\tb\n\x7f\u202e\udcff") == "a\\x1b[2J\\x09b\\x0a\\x7f\\u202e\\udcff"
    assert printable_lines("a\tb\n\r") == "a\tb\n\\x0d"
    for text in ("Grüße, 世界 🙂", "שלום", "a\u200fb"):
        assert printable(text) == text


def test_a_stream_takes_what_it_cannot_encode():
    raw = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    stream = PrintableStream(raw)
    print("Grüße \udcff\x1b", file=stream, flush=True)
    assert raw.buffer.getvalue() == b"Gr\\xfc\\xdfe \\udcff\\x1b\n"


def run(capfd, *words):
    code = main([str(word) for word in words])
    printed = capfd.readouterr()
    assert not UNSAFE.search(printed.out + printed.err)
    return code, printed.out + printed.err


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    Path("broken.prototxt").write_text(NET + NET.replace('"InnerProduct"', '"None"'))
    return "net.prototxt"


@pytest.mark.parametrize("words", [
    ("summary", "net.prototxt"), ("summary", "net.prototxt", "--json"), ("check", "net.prototxt"),
    ("check", "broken.prototxt"), ("summarize", "broken.prototxt"), ("draw", "net.prototxt", "-"),
    ("summary", f"none{ATTACK[:-1]}"), ("check", f"none{ATTACK[:-1]}"),
    ("time", "--model", "broken.prototxt"), ("upgrade_net_proto_text", f"x{ATTACK[:-1]}", "-"),
    (f"do{ATTACK}",)])
def test_commands_print_no_control_characters(net, capfd, words):
    run(capfd, *words)


def test_colours_of_the_table_are_the_only_ones(net, monkeypatch):
    here, there = pty.openpty()
    with open(there, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        assert main(["summarize", net]) == 0
    printed = os.read(here, 10_000).decode().replace("\r\n", "\n")
    os.close(here)
    assert "\x1b[36m" in printed
    assert not UNSAFE.search(re.sub(r"\x1b\[\d+m", "", printed))


def test_inspect_prints_names_of_weights(tmp_path, capfd):
    layer = WeightLayer(f"ip{ATTACK}", "InnerProduct", [np.zeros((1, 2), "f4")], [None], [False])
    layer.definition.name = layer.name
    for name in ("a.caffemodel", "a.caffemodel.h5"):
        write_weights(tmp_path / name, "net", [(layer.definition, layer.blobs, layer.diffs)])
        assert "\\x1b]0;mine\\x07" in run(capfd, "inspect", tmp_path / name)[1]


def test_captions_are_printed_and_put_on_a_page(tmp_path, capfd, monkeypatch):
    entry = Captioned(f"p{ATTACK}\udcff", None, [(-1.0, f"a dog{ATTACK}"), (-2.0, ATTACK)])
    page = tmp_path / "page.html"
    args = Namespace(top=2, json=None, html=page, weights=Path(f"w{ATTACK}"), strategy="greedy")
    monkeypatch.setattr("caffe_lrcn.cli.inspect.run", lambda args: write_outputs(args, [entry]),
                        raising=True)
    monkeypatch.setattr("caffe_lrcn.cli.inspect.add_arguments",
                        lambda parser: parser.set_defaults(**vars(args)))
    run(capfd, "inspect")
    assert not UNSAFE.search(page.read_text(encoding="utf-8"))
    write_gallery(page, ATTACK, ATTACK, [Captioned(ATTACK, error=f"{ATTACK}\udcff")])
    assert not UNSAFE.search(page.read_text(encoding="utf-8"))


def test_streams_as_a_page():
    streams = Streams(*(np.ones((2, 1)) for _ in range(3)))
    assert not UNSAFE.search(as_html(ATTACK, streams, 2, 1, lambda number: ATTACK, ATTACK, []))


def test_drawings_can_be_parsed(net, tmp_path):
    assert main(["draw", net, str(tmp_path / "a.svg")]) == 0
    ElementTree.parse(tmp_path / "a.svg")
    assert main(["draw", net, str(tmp_path / "a.txt")]) == 0
    assert not UNSAFE.search((tmp_path / "a.txt").read_text(encoding="utf-8"))
    canvas = Canvas(9, 9, title=ATTACK, shapes=[Text((1, 1), ATTACK, 9)])
    ElementTree.fromstring(as_svg(canvas))


def test_messages_do_not_fill_the_screen():
    path = "/".join(["folder"] * 60)
    assert str(CaffeError("wrong", where=path)) == f"{path}: wrong"
    for got in ("9" * 100_000, "a " * 50_000):
        text = str(CaffeError("wrong", where="a.txt:1", got=got, remedy="Mend it"))
        assert len(text) < 9000 and text.startswith("a.txt:1: wrong (got ")
        assert text.endswith("). Mend it.")


def test_errors_and_log_lines():
    error = CaffeError(ATTACK, where=ATTACK, layer=ATTACK, got=ATTACK, wanted=ATTACK, remedy=ATTACK)
    assert not UNSAFE.search(str(error))
    record = logging.LogRecord("x", logging.INFO, "f.py", 1, "%s", (ATTACK,), None)
    for formatter in (glog.GlogFormatter(), glog.BriefFormatter()):
        assert not UNSAFE.search(formatter.format(record))
    stream = io.StringIO()
    Console(stream)._say(ATTACK)
    assert stream.getvalue() and not UNSAFE.search(stream.getvalue())
