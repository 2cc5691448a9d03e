"""docs/layers.md: up to date, complete, and rendered as it should be."""
from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from caffe_lrcn.layer_types import TYPES, layer_class
from caffe_lrcn.proto import caffe_pb2

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_layers",
                                                  ROOT / "docs" / "generate_layers.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_committed_file_is_what_the_generator_writes(tool):
    assert tool.OUT.read_text(encoding="utf-8") == tool.render(), "run: make docs"


def test_every_type_says_what_it_is_and_where_it_comes_from(tool):
    for name in TYPES:
        text = tool.render_type(name, layer_class(name), {})
        assert text.startswith(f"## {name}\n\n") and "Source:" in text, name
        assert re.search(r"^\*(no|\d+) .*bottom", text, re.M), name


def test_every_parameter_message_belongs_to_a_type(tool):
    described = {field for name in TYPES for field in tool.messages_of(name)}
    known = {field.name for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields
             if field.name.endswith("_param")}
    assert known - described <= ({"python_param"} if "Python" not in TYPES else set())
    assert set(tool.MESSAGES) <= set(TYPES)


def test_fields_with_types_defaults_and_comments(tool):
    comments = {("PoolingParameter", "pool"): "How | what."}
    table = tool.field_table(caffe_pb2.PoolingParameter.DESCRIPTOR, comments)
    assert "| `pool` | `MAX` `AVE` `STOCHASTIC` | `MAX` | How \\| what. |" in table
    assert "| `stride` | integer | 1 |  |" in table and "| `kernel_h` | integer | – |  |" in table
    clip = tool.field_table(caffe_pb2.ClipParameter.DESCRIPTOR, {})
    assert "| `min` | float | required |  |" in clip
    dummy = tool.field_table(caffe_pb2.DummyDataParameter.DESCRIPTOR, {})
    assert "| `shape` | [BlobShape](#blobshape), repeated | – |  |" in dummy
    assert '| `type` | string | "constant" |' in tool.field_table(
        caffe_pb2.FillerParameter.DESCRIPTOR, {})


def test_docstrings_become_markdown(tool):
    text = tool.render_docstring("``y = x``.\n\nRaises:\n    ShapeError: one\n        and more.\n"
                                 "    DataError, NetError: two.\n\nSource: here.")
    assert text == ("`y = x`.\n\nErrors:\n\n- ShapeError: one and more.\n"
                    "- DataError, NetError: two.\n\nSource: here.\n")


def test_comments_right_above_a_field_are_taken(tool):
    schema = ("message A {\n  // First\n  // line.\n  optional int32 x = 1;\n  optional B y = 2;\n"
              "\n  // Not for z.\n\n  repeated float z = 3;\n}\nmessage B {\n  // Other.\n"
              "  required C.D x = 1 [default = 2];\n}\n")
    assert tool.read_comments(schema) == {("A", "x"): "First line.", ("B", "x"): "Other."}


def test_links_lead_somewhere(tool):
    text = tool.render()
    headings = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= headings
