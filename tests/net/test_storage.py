"""Which blobs live in the same memory, and the warning where that changes what a layer reads."""
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.connect import connect
from caffe_lrcn.net.net import Net
from caffe_lrcn.net.splits import insert_splits
from caffe_lrcn.net.storage import find_overwrites, plan_storage
from caffe_lrcn.proto.text import parse_net

IN = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 } } }\n'


def layer(name, kind, bottom, top, more=""):
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{top}" {more} }}\n'


FLAT, RELU = layer("f", "Flatten", "x", "f"), layer("r", "ReLU", "f", "f")
READER = layer("p", "Power", "x", "p")


def graph(text):
    return connect(insert_splits(parse_net(text, "n.prototxt").layers))


def sharings(text):
    result = graph(text)
    return [(result.blob_names[s.blob], result.blob_names[s.source], s.diff)
            for s in plan_storage(result).values()]


@pytest.mark.parametrize("kind, more, diff", [
    ("Flatten", "", True), ("Reshape", "reshape_param { shape { dim: -1 } }", True),
    ("Concat", "", True), ("Slice", "", True), ("Split", "", False)])
def test_layers_that_only_rename_copy_nothing(kind, more, diff):
    assert sharings(IN + layer("a", kind, "x", "y", more)) == [("y", "x", diff)]


def test_a_blob_that_gives_its_shape_shares_nothing():
    text = (IN + layer("c", "Power", "x", "like")
            + 'layer { name: "r" type: "Reshape" bottom: "x" bottom: "like" top: "y" }')
    assert [found for found in sharings(text) if found[0] == "y"] == [
        ("y", "x_in_0_split_1", True)]


def test_outputs_of_a_split_share_values_but_not_gradients():
    assert sharings(IN + layer("a", "Power", "x", "y") + layer("b", "Power", "x", "z")) == [
        ("x_in_0_split_0", "x", False), ("x_in_0_split_1", "x", False)]


def test_a_layer_in_place_needs_no_entry():
    assert sharings(IN + layer("r", "ReLU", "x", "x")) == []


@pytest.mark.parametrize("text, overwritten", [
    (FLAT + RELU + READER, [("r", "p", "x_in_0_split_1")]),
    (FLAT + layer("g", "Reshape", "f", "g", "reshape_param { shape { dim: -1 } }")
     + layer("r", "ReLU", "g", "g") + READER, [("r", "p", "x_in_0_split_1")]),
    (READER + FLAT + RELU, []),                        # read before
    (FLAT + RELU + layer("p", "Power", "f", "p"), []),  # meant to be read
    (FLAT + RELU + layer("g", "Flatten", "f", "g") + layer("p", "Power", "g", "p"), []),
    (layer("r", "ReLU", "x", "x") + FLAT + READER, []),  # changed before it was shared
])
def test_overwritten_blobs(text, overwritten):
    assert [(found.writer.definition.param.name, found.reader.definition.param.name, found.blob)
            for found in find_overwrites(graph(IN + text))] == overwritten


@pytest.mark.parametrize("kind", ["Sigmoid", "TanH", "Softmax", "LRN"])
def test_tops_that_a_gradient_is_computed_from(kind):
    dropout = layer("d", "Dropout", "y", "y")
    for more in (dropout, layer("s", "ReLU", "y", "y")):
        found, = find_overwrites(graph(IN + layer("k", kind, "x", "y") + more))
        assert (found.blob, found.backward) == ("y", True)
        assert found.reader.definition.param.name == "k"
    assert not find_overwrites(graph(IN + layer("k", "Exp", "x", "y") + dropout))


@pytest.mark.parametrize("reader, spoilt", [
    (READER.replace("}", "power_param { power: 2 } }"), True), (layer("p", "ReLU", "x", "p"), True),
    (layer("p", "InnerProduct", "x", "p", "inner_product_param { num_output: 1 }"), True),
    (READER, False), (layer("p", "Pooling", "x", "p", "pooling_param { kernel_size: 1 }"), False),
    ('layer { name: "p" type: "Eltwise" bottom: "x" bottom: "x" top: "p" }', False)])
def test_bottoms_that_a_gradient_is_computed_from(reader, spoilt):
    """The reader runs before the layer in place, and goes back after it."""
    found = find_overwrites(graph(IN + reader + FLAT + RELU))
    assert [(entry.reader.definition.param.name, entry.backward) for entry in found][:1] == (
        [("p", True)] if spoilt else [])


@pytest.mark.parametrize("kind, spoilt", [("Sigmoid", True), ("Power", True), ("Dropout", False),
                                          ("ReLU", False), ("TanH", False), ("LRN", False)])
def test_a_relu_in_place_needs_the_signs_of_its_top(kind, spoilt):
    found = find_overwrites(graph(IN + layer("a", "Power", "x", "y") + layer("r", "ReLU", "y", "y")
                                  + layer("k", kind, "y", "y")))
    assert bool(found) == spoilt


def test_many_layers_in_place_are_looked_at_once():
    """A list of all pairs would take minutes."""
    chain = "".join(layer(f"r{i}", ("ReLU", "Sigmoid")[i % 2], "x", "x") for i in range(4000))
    assert len(find_overwrites(graph(IN + chain))) == 3999


def test_lrn_within_a_channel_needs_its_top_no_more():
    text = IN + layer("k", "LRN", "x", "y", "lrn_param { norm_region: WITHIN_CHANNEL }")
    assert not find_overwrites(graph(text + layer("r", "ReLU", "y", "y")))


def test_a_layer_in_place_does_not_disturb_itself_nor_a_later_one():
    first = IN + layer("a", "Power", "x", "y")
    assert not find_overwrites(graph(first + layer("k", "TanH", "y", "y")))
    assert not find_overwrites(graph(first + layer("r", "ReLU", "y", "y")
                                     + layer("k", "TanH", "y", "y")))
    assert find_overwrites(graph(first + layer("k", "TanH", "y", "y")
                                 + layer("r", "ReLU", "y", "y")))


def test_quirk_a_gradient_from_a_changed_top_is_warned_about_in_training(caplog):
    text = IN + layer("k", "Sigmoid", "x", "y") + layer("d", "Dropout", "y", "y")
    Net(parse_net(text), get_backend(), phase=1)
    assert not caplog.records
    Net(parse_net(text), get_backend(), phase=0)
    assert "so layer 'k' computes its gradient from changed values" in caplog.text


def test_quirk_a_layer_in_place_on_an_alias_changes_what_others_read(caplog):
    net = Net(parse_net(IN + FLAT + RELU + READER, "n.prototxt"), get_backend(), phase=1)
    assert ("n.prototxt:3:1: layer 'r' changes in place the memory of 'x_in_0_split_1'"
            in caplog.text)
    assert "layer 'p' reads changed values" in caplog.text
    net.blobs["x"].host_data[...] = -1
    net.forward()
    assert net.blobs["p"].host_data.tolist() == [[0, 0]]
