"""From the definitions inside a weight file back to a prototxt."""
from __future__ import annotations

from ..errors import WeightsError
from ..proto import caffe_pb2
from ..proto.weights_io import WeightFile
from .splits import split_blob_name, split_layer_name


def rebuild_net(file: WeightFile) -> caffe_pb2.NetParameter:
    """Return the net definition that the layers of a weight file add up to.

    The Split layers that a net inserts by itself are taken out again, and so is a phase that all
    layers agree on, which only says in which phase the file was written.

    Raises:
        WeightsError: the file holds no definitions (HDF5).
    """
    if not any(layer.type for layer in file.layers):
        raise WeightsError("HDF5 files hold weights only, no definitions",
                           remedy="Only binary .caffemodel files tell how the net was defined")
    net = caffe_pb2.NetParameter(name=file.name or None)
    original: dict[str, str] = {}
    for layer in file.layers:
        if layer.type == "Split" and _undo_split(layer.definition, net, original):
            continue
        param = net.layer.add()
        param.CopyFrom(layer.definition)
        for index, bottom in enumerate(param.bottom):
            param.bottom[index] = original.get(bottom, bottom)
    if len({layer.phase for layer in net.layer}) == 1:
        for layer in net.layer:
            layer.ClearField("phase")
    return net


def _undo_split(split: caffe_pb2.LayerParameter, net: caffe_pb2.NetParameter,
                original: dict[str, str]) -> bool:
    """Note the blob behind each output of a Split that was inserted; false if a user wrote it."""
    for layer in net.layer:
        for index, blob in enumerate(layer.top):
            if (split.name != split_layer_name(layer.name, blob, index)
                    or list(split.bottom) != [blob]):
                continue
            for output, top in enumerate(split.top):
                if top != split_blob_name(layer.name, blob, index, output):
                    return False
            original.update(dict.fromkeys(split.top, blob))
            if split.loss_weight and split.loss_weight[0]:
                # The field is gone from the layer if no other weight was left.
                layer.loss_weight.extend([0.0] * (len(layer.top) - len(layer.loss_weight)))
                layer.loss_weight[index] = split.loss_weight[0]
            return True
    return False
