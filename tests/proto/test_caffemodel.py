"""Binary weights: every generation is read, and what is written is what Caffe writes."""
from __future__ import annotations

from tempfile import NamedTemporaryFile

import numpy as np
import pytest

from caffe_lrcn.errors import WeightsError
from caffe_lrcn.proto import blob_proto, caffe_pb2, caffemodel
from caffe_lrcn.proto.caffemodel import WeightFile, read_wire, write_caffemodel
from caffe_lrcn.proto.weights_io import read_weights
from caffe_lrcn.proto.wire import encode_bytes

from .weight_bytes import GOLDEN, blob, layer_bytes, unpacked, wire

SGD = GOLDEN / "solvers" / "sgd_iter_6.caffemodel"
ERA = GOLDEN / "legacy" / "era_recurrent.caffemodel"


def read(data: bytes) -> WeightFile:
    return read_wire(wire(data))


def written(name: str, layers) -> bytes:
    with NamedTemporaryFile() as file:
        write_caffemodel(file.name, name, layers)
        return file.read()


def one_blob(encoded: bytes) -> np.ndarray:
    return read(encode_bytes(100, encode_bytes(7, encoded))).layers[0].blobs[0]


# -- reading -----------------------------------------------------------------------------


def test_a_caffemodel_equals_what_protobuf_reads():
    got = read_weights(SGD)
    want = caffe_pb2.NetParameter.FromString(SGD.read_bytes())
    assert got.name == want.name == "mini_lrcn"
    assert [(layer.name, layer.type) for layer in got.layers] == [
        (layer.name, layer.type) for layer in want.layer]
    for ours, theirs in zip(got.layers, want.layer, strict=True):
        assert len(ours.blobs) == len(theirs.blobs) == len(ours.diffs) == len(ours.legacy_shape)
        for array, message in zip(ours.blobs, theirs.blobs, strict=True):
            assert array.dtype == np.float32 and array.flags.c_contiguous and array.flags.writeable
            assert array.shape == tuple(message.shape.dim)
            np.testing.assert_array_equal(array.ravel(), np.float32(message.data))
        theirs.ClearField("blobs")
        assert ours.definition == theirs


def test_weights_of_the_recurrent_branch():
    got = read_weights(ERA)
    assert got.dialect.startswith("recurrent (LRCN)")
    by_name = {layer.name: layer for layer in got.layers}
    assert by_name["lstm1"].type == "LSTM"
    assert by_name["lstm1"].definition.recurrent_param.num_output == 8
    assert not by_name["lstm1"].definition.HasField("elu_param")
    assert by_name["embedding"].definition.embed_param.input_dim == 9
    init = [blob.shape for blob in by_name["lstm2"].blobs]
    assert init == [(32, 8), (32,), (32, 5), (32, 8)]


def test_legacy_shapes_have_four_axes_and_win_over_a_shape():
    message = blob(np.arange(6.0), num=1, channels=1, height=2, width=3)
    message.shape.dim.append(6)
    net = caffe_pb2.NetParameter()
    net.layer.add(name="x").blobs.append(message)
    layer = read(net.SerializeToString()).layers[0]
    assert layer.blobs[0].shape == (1, 1, 2, 3)
    assert layer.legacy_shape == [True]


def test_v1_layers():
    net = caffe_pb2.NetParameter(name="v1")
    layer = net.layers.add(name="ip", type=caffe_pb2.V1LayerParameter.INNER_PRODUCT, blobs_lr=[3])
    layer.inner_product_param.num_output = 2
    layer.blobs.append(blob([[1.0, 2.0]]))
    (got,) = read(net.SerializeToString()).layers
    assert (got.name, got.type) == ("ip", "InnerProduct")
    np.testing.assert_array_equal(got.blobs[0], [[1, 2]])
    assert got.definition.inner_product_param.num_output == 2
    assert got.definition.param[0].lr_mult == 3
    assert not got.definition.blobs


def test_v1_types_that_nobody_knows_survive():
    entry = encode_bytes(4, b"x") + b"\x28\x4d" + encode_bytes(6, blob([1.0]).SerializeToString())
    (got,) = read(encode_bytes(2, entry)).layers
    assert (got.name, got.type, len(got.blobs)) == ("x", "LayerType(77)", 1)


def test_v0_layers_nested_in_v1():
    net = caffe_pb2.NetParameter()
    old = net.layers.add(bottom=["a"], top=["b"]).layer
    old.name, old.type, old.num_output = "ip", "innerproduct", 2
    old.blobs.append(blob([[1.0, 2.0]]))
    (got,) = read(net.SerializeToString()).layers
    assert (got.name, got.type) == ("ip", "InnerProduct")
    np.testing.assert_array_equal(got.blobs[0], [[1, 2]])
    assert got.definition.inner_product_param.num_output == 2
    assert list(got.definition.bottom) == ["a"]


def test_v0_types_that_cannot_be_upgraded_survive():
    net = caffe_pb2.NetParameter()
    old = net.layers.add().layer
    old.name, old.type = "p", "padding"
    (got,) = read(net.SerializeToString()).layers
    assert (got.name, got.type) == ("p", "padding")


def test_unpacked_packed_split_and_double_data():
    values = np.arange(50, dtype=np.float32)
    np.testing.assert_array_equal(one_blob(unpacked(values)), values)
    packed = blob(values).SerializeToString()
    np.testing.assert_array_equal(one_blob(packed), values)
    parts = (encode_bytes(5, values[:20].tobytes()) + encode_bytes(5, values[20:21].tobytes())
             + encode_bytes(5, values[21:].tobytes()) + encode_bytes(7, b"\x08\x32"))
    np.testing.assert_array_equal(one_blob(parts), values)
    double = caffe_pb2.BlobProto(double_data=[0.1, 0.2])
    double.shape.dim.append(2)
    got = one_blob(double.SerializeToString())
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, [0.1, 0.2])


def test_scalars_empty_blobs_and_diffs():
    assert one_blob(caffe_pb2.BlobProto(data=[3]).SerializeToString()).shape == ()
    assert one_blob(blob([], shape=[0, 5]).SerializeToString()).shape == (0, 5)
    message = blob([1.0, 2.0])
    message.diff.extend([3, 4])
    net = caffe_pb2.NetParameter()
    net.layer.add().blobs.extend([message, blob([5.0])])
    first, second = read(net.SerializeToString()).layers[0].diffs
    np.testing.assert_array_equal(first, [3, 4])
    assert second is None


def test_unknown_fields_and_names_that_are_no_utf8_do_no_harm():
    entry = (encode_bytes(1, b"caf\xe9") + encode_bytes(2, b"Data") + encode_bytes(999, b"x")
             + b"\x0d1234" + encode_bytes(106, b"\xff\xff"))
    (got,) = read(encode_bytes(77, b"zzz") + encode_bytes(100, entry)).layers
    assert (got.name, got.type) == ("caf\ufffd", "Data")
    assert got.definition.type == "Data"


@pytest.mark.parametrize("message, part", [
    (blob([1.0, 2.0], shape=[3]), "has the shape (3,) but 2 values"),
    (blob([1.0, 2.0], shape=[-2, -1]), "impossible shape (-2, -1)"),
    (blob([], shape=[2**40, 2**40]), "impossible shape"),
    (blob([], shape=[0, 2**62, 2**62]), "impossible shape"),
    (blob([1.0], shape=[1] * 33), "more than 32 axes"),
    (blob([1.0], num=2), "has the shape (2, 0, 0, 0) but 1 values"),
])
def test_shapes_that_make_no_sense(message, part):
    net = caffe_pb2.NetParameter()
    net.layer.add(name="ip").blobs.append(message)
    with pytest.raises(WeightsError) as caught:
        read(net.SerializeToString())
    assert part in str(caught.value) and "blob 0 of layer 'ip'" in str(caught.value)


def test_gradients_of_another_size():
    message = blob([1.0, 2.0])
    message.diff.append(1)
    with pytest.raises(WeightsError, match="2 values but 1 gradients"):
        one_blob(message.SerializeToString())


def test_a_file_without_layers():
    with pytest.raises(WeightsError, match="holds no layers"):
        read(encode_bytes(1, b"name"))


def test_truncation_names_the_file_the_byte_and_what_was_read(tmp_path):
    data = SGD.read_bytes()
    path = tmp_path / "cut.caffemodel"
    path.write_bytes(data[:len(data) // 2])
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: damaged or truncated at byte ")
    assert "of the net announces" in message


@pytest.mark.parametrize("module, name", [(caffemodel, "MAX_LAYERS"), (caffemodel, "MAX_BLOBS")])
def test_the_number_of_layers_and_blobs_is_bounded(monkeypatch, module, name):
    monkeypatch.setattr(module, name, 3)
    data = layer_bytes("x", "ReLU", blobs=[[1.0]])
    assert len(read(data * 3).layers) == 3
    with pytest.raises(WeightsError, match="too many"):
        read(data * 4)


# -- writing -----------------------------------------------------------------------------


def test_a_caffemodel_is_rewritten_byte_by_byte(tmp_path):
    file = read_weights(SGD)
    records = [(layer.definition, layer.blobs, layer.diffs) for layer in file.layers]
    assert written(file.name, records) == SGD.read_bytes()
    write_caffemodel(tmp_path / "x", file.name, records)
    assert (tmp_path / "x").read_bytes() == SGD.read_bytes()


def test_an_era_file_is_written_in_upstream_numbers():
    file = read_weights(ERA)
    data = written(file.name, [(layer.definition, layer.blobs, None) for layer in file.layers])
    again = caffe_pb2.NetParameter.FromString(data)
    lstm = next(layer for layer in again.layer if layer.name == "lstm1")
    assert lstm.recurrent_param.num_output == 8
    assert len(lstm.blobs) == 3


def test_doubles_diffs_scalars_and_strided_arrays():
    definition = caffe_pb2.LayerParameter(name="x", type="Scale")
    definition.blobs.add(data=[9])  # a definition's own blobs are left out
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    arrays = [values.T, np.float64([0.1]), np.float32(7).reshape(()), np.zeros((0, 2), np.float32)]
    diffs = [-values.T, None, None, None]
    data = written("n", [(definition, arrays, diffs)])
    message = caffe_pb2.NetParameter.FromString(data)
    assert message.SerializeToString(deterministic=True) == data
    (layer,) = read(data).layers
    for got, want in zip(layer.blobs, arrays, strict=True):
        assert got.dtype == want.dtype and got.shape == want.shape
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(layer.diffs[0], diffs[0])
    assert layer.diffs[1:] == [None] * 3
    assert len(definition.blobs) == 1


def test_writing_refuses_what_it_cannot_store():
    definition = caffe_pb2.LayerParameter(name="x")
    with pytest.raises(WeightsError, match="layer 'x'.*int64"):
        written("n", [(definition, [np.arange(3)], None)])
    array = np.zeros(3, np.float32)
    with pytest.raises(WeightsError, match="another shape"):
        written("n", [(definition, [array], [np.zeros(2, np.float32)])])
    with pytest.raises(WeightsError, match="one gradient for each blob"):
        written("n", [(definition, [array], [array, array])])


def test_arrays_are_written_without_a_copy():
    array = np.zeros(1000, np.float32)
    pieces = blob_proto.encode_blob(array)
    assert any(np.shares_memory(np.frombuffer(piece, np.uint8), array) for piece in pieces)
