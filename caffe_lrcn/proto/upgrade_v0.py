"""Upgrade V0 layers, the oldest form: a string type and one message for the fields of all types.

V0 layers stand as `layers { layer { ... } bottom: ... }`. Padding was a layer of its own; here it
becomes the pad of the convolution or pooling behind it.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from caffe_lrcn import hints
from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.places import Place

_V1 = caffe_pb2.V1LayerParameter

V0_TYPES: dict[str, caffe_pb2.V1LayerParameter.LayerType] = {
    "accuracy": _V1.ACCURACY,
    "bnll": _V1.BNLL,
    "concat": _V1.CONCAT,
    "conv": _V1.CONVOLUTION,
    "data": _V1.DATA,
    "dropout": _V1.DROPOUT,
    "euclidean_loss": _V1.EUCLIDEAN_LOSS,
    "flatten": _V1.FLATTEN,
    "hdf5_data": _V1.HDF5_DATA,
    "hdf5_output": _V1.HDF5_OUTPUT,
    "im2col": _V1.IM2COL,
    "images": _V1.IMAGE_DATA,
    "infogain_loss": _V1.INFOGAIN_LOSS,
    "innerproduct": _V1.INNER_PRODUCT,
    "lrn": _V1.LRN,
    "multinomial_logistic_loss": _V1.MULTINOMIAL_LOGISTIC_LOSS,
    "pool": _V1.POOLING,
    "relu": _V1.RELU,
    "sigmoid": _V1.SIGMOID,
    "softmax": _V1.SOFTMAX,
    "softmax_loss": _V1.SOFTMAX_LOSS,
    "split": _V1.SPLIT,
    "tanh": _V1.TANH,
    "window_data": _V1.WINDOW_DATA,
}

_CONV, _FC, _POOL = ({"conv": "convolution_param"}, {"innerproduct": "inner_product_param"},
                     {"pool": "pooling_param"})
_DATA = {"data": "data_param", "images": "image_data_param", "window_data": "window_data_param",
         "hdf5_data": "hdf5_data_param"}
_IMAGES, _WINDOWS, _LRN = ({"images": "image_data_param"}, {"window_data": "window_data_param"},
                           {"lrn": "lrn_param"})
_TRANSFORM = dict.fromkeys(V0_TYPES, "transform_param")

# V0 field -> (its name today, message that it goes to, by V0 type).
_ROUTES: dict[str, tuple[str, dict[str, str]]] = {
    "num_output": ("num_output", _CONV | _FC),
    "biasterm": ("bias_term", _CONV | _FC),
    "weight_filler": ("weight_filler", _CONV | _FC),
    "bias_filler": ("bias_filler", _CONV | _FC),
    "pad": ("pad", _CONV | _POOL),
    "kernelsize": ("kernel_size", _CONV | _POOL),
    "stride": ("stride", _CONV | _POOL),
    "group": ("group", _CONV),
    "pool": ("pool", _POOL),
    "dropout_ratio": ("dropout_ratio", {"dropout": "dropout_param"}),
    "local_size": ("local_size", _LRN),
    "alpha": ("alpha", _LRN),
    "beta": ("beta", _LRN),
    "k": ("k", _LRN),
    "source": ("source", _DATA | {"infogain_loss": "infogain_loss_param"}),
    "batchsize": ("batch_size", _DATA),
    "scale": ("scale", _TRANSFORM),
    "meanfile": ("mean_file", _TRANSFORM),
    "cropsize": ("crop_size", _TRANSFORM),
    "mirror": ("mirror", _TRANSFORM),
    "rand_skip": ("rand_skip", {"data": "data_param", "images": "image_data_param"}),
    "shuffle_images": ("shuffle", _IMAGES),
    "new_height": ("new_height", _IMAGES),
    "new_width": ("new_width", _IMAGES),
    "concat_dim": ("concat_dim", {"concat": "concat_param"}),
    "det_fg_threshold": ("fg_threshold", _WINDOWS),
    "det_bg_threshold": ("bg_threshold", _WINDOWS),
    "det_fg_fraction": ("fg_fraction", _WINDOWS),
    "det_context_pad": ("context_pad", _WINDOWS),
    "det_crop_mode": ("crop_mode", _WINDOWS),
}
_COPIED = ("name", "blobs", "blobs_lr", "weight_decay")


def upgrade_v0_layers(
        old: Sequence[caffe_pb2.V1LayerParameter], places: Sequence[Place],
) -> tuple[list[caffe_pb2.V1LayerParameter], list[Place]]:
    """Return V0 layers in the V1 form, and their places; padding layers are gone.

    Raises:
        PrototxtError: an unknown type, a field on a type that has none such, a padding layer
            in front of something else than a convolution or pooling, or V1 layers in between.

    Source: Caffe upgrade_proto.cpp (UpgradeV0Net).
    """
    layers: list[caffe_pb2.V1LayerParameter] = []
    kept: list[Place] = []
    padding: dict[str, caffe_pb2.V1LayerParameter] = {}
    for layer, place in zip(old, places, strict=True):
        if not layer.HasField("layer"):
            raise PrototxtError("layers of two old forms (V0 and V1) are mixed in one net",
                                where=place.at(), remedy="Write all of them as 'layer'")
        copy = caffe_pb2.V1LayerParameter()
        copy.CopyFrom(layer)
        if copy.layer.type == "padding":
            if len(copy.bottom) != 1 or len(copy.top) != 1:
                raise PrototxtError("a padding layer has one bottom and one top", where=place.at(),
                                    layer=copy.layer.name)
            padding[copy.top[0]] = copy
            continue
        _fold_padding(copy, padding, place)
        for top in copy.top:
            padding.pop(top, None)
        layers.append(upgrade_v0_layer(copy, place))
        kept.append(place)
    return layers, kept


def upgrade_v0_layer(old: caffe_pb2.V1LayerParameter,
                     place: Place) -> caffe_pb2.V1LayerParameter:
    """Return one V0 layer (not a padding layer) in the V1 form.

    Raises:
        PrototxtError: an unknown type, or a field on a type that has none such.
    """
    v0 = old.layer
    new = caffe_pb2.V1LayerParameter(bottom=old.bottom, top=old.top)
    if v0.HasField("type"):
        if v0.type not in V0_TYPES:
            raise PrototxtError(f"unknown V0 layer type '{v0.type}'", layer=v0.name,
                                where=place.at("layer", "type"),
                                remedy=hints.did_you_mean(hints.misspelt(v0.type, V0_TYPES)))
        new.type = V0_TYPES[v0.type]
    for field, value in v0.ListFields():
        if field.name in _COPIED or (field.name, v0.type) == ("hdf5_output_param", "hdf5_output"):
            set_field(new, field.name, value)
        elif field.name != "type":
            _route(new, v0, field.name, place)
    return new


def set_field(message: Message, name: str, value: Any) -> None:
    """Set a field of any kind; values are added to a repeated one."""
    current = getattr(message, name)
    if hasattr(current, "extend"):
        current.extend(value)
    elif hasattr(current, "CopyFrom"):
        current.CopyFrom(value)
    else:
        setattr(message, name, value)


def _route(new: caffe_pb2.V1LayerParameter, v0: caffe_pb2.V0LayerParameter, name: str,
           place: Place) -> None:
    """Set one V0 field in the message that holds it today."""
    target, messages = _ROUTES.get(name, (name, {}))
    if v0.type not in messages:
        raise PrototxtError(f"a V0 layer of type '{v0.type}' has no '{name}'", layer=v0.name,
                            where=place.at("layer", name))
    message, value = getattr(new, messages[v0.type]), getattr(v0, name)
    set_field(message, target, [value] if hasattr(getattr(message, target), "append") else value)


def _fold_padding(layer: caffe_pb2.V1LayerParameter,
                  padding: dict[str, caffe_pb2.V1LayerParameter], place: Place) -> None:
    """Replace a bottom that a padding layer made by that layer's bottom, and set the pad."""
    for index, bottom in enumerate(layer.bottom):
        source = padding.get(bottom)
        if source is None:
            continue
        if layer.layer.type not in ("conv", "pool") or len(layer.bottom) != 1:
            raise PrototxtError(
                "a padding layer can only feed a convolution or pooling with one bottom",
                where=place.at("bottom", index), layer=layer.layer.name, got=layer.layer.type)
        layer.layer.pad = source.layer.pad
        layer.bottom[index] = source.bottom[0]
