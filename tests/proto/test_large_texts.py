"""Definitions that are long in one place: memory in proportion, and short errors."""
from __future__ import annotations

import tracemalloc

import pytest

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto.text import parse_net

LONG = 1 << 20


def peak(text: str) -> float:
    """Return the most memory that reading a text takes, in bytes a character."""
    tracemalloc.start()
    try:
        parse_net(text, "f")
    except PrototxtError:
        pass
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most / len(text)


@pytest.mark.parametrize("text", [
    f'name: "{"a" * LONG}"', f"name: '{'a' * LONG}'", f'name: "{"a" * LONG}',
    'name: "' + "\\n" * (LONG // 2) + '"', 'name: "' + "a\\303\\244" * (LONG // 9) + '"',
    " " * LONG + 'name: "x"', f"# {'c' * LONG}\nname: 'x'", f"{'a' * LONG}: 3",
    f"force_backward: {'9' * LONG}",
], ids=["string", "single quotes", "not closed", "escapes", "UTF-8 in escapes", "blanks",
        "comment", "name of a field", "number"])
def test_one_long_token_takes_little_memory(text):
    assert peak(text) < 16


@pytest.mark.parametrize("text", [
    "#\n" * (LONG // 8) + 'name: "x"', "layer {" * (LONG // 64), "layer: " + "[" * (LONG // 64),
    "{" * (LONG // 64), "@" * (LONG // 64), 'name: "' + "\\n" * (LONG // 64),
    "layer { " + "loss_weight: 1 " * (LONG // 128) + "}",
], ids=["comments", "braces", "brackets", "only braces", "marks", "escapes not closed", "fields"])
def test_many_tokens_take_memory_in_proportion(text):
    assert peak(text) < 320


@pytest.mark.parametrize("text", [
    "{" * (LONG // 16), "@" * (LONG // 16),
    "layer { loss_weight: [" + "1," * (LONG // 16) + "1] }",
    "layer { " + "loss_weight: 1 " * (LONG // 64) + "}",
], ids=["only braces", "marks", "list", "fields"])
def test_short_tokens_and_lists_of_numbers_cost_their_offsets_only(text):
    # Four million braces take 65 MB, a list of two million numbers 100 MB.
    assert peak(text) < 48


def test_values_of_a_list_keep_their_places():
    net = parse_net("layer {\n loss_weight: [1,\n  2]\n loss_weight: 3 top: 'a' top: 'b' }", "f")
    place = net.layers[0].place
    assert [place.at("loss_weight", i) for i in range(4)] == ["f:2:16", "f:3:3", "f:4:2", "f:1:1"]
    assert place.at("top", 1) == "f:4:26"


def test_a_string_with_many_escapes_keeps_its_value():
    name = 'a"\\\n\'ä7' * 5000
    escaped = (name.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
               .replace("ä", "\\303\\244"))
    assert parse_net(f'name: "{escaped}"').param.name == name


def test_a_wrong_escape_far_inside_has_its_place():
    text = '\n name: "' + "\\n" * 5000 + '"\n "\\377"'
    with pytest.raises(PrototxtError, match="^f:3:2: .*utf-8"):
        parse_net(text, "f")


@pytest.mark.parametrize("text", ["{}: 3", "name: {}", "force_backward: {}", "{}",
                                  "layer {{ type: 'ReLU' phase: {} }}"])
def test_long_tokens_are_cut_in_errors(text):
    with pytest.raises(PrototxtError) as caught:
        parse_net(text.format("9a"[text[0] == "{"] * 5000), "f")
    assert len(str(caught.value)) < 300
