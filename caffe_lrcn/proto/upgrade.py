"""Upgrade definitions of every age to today's form, keeping the places of the layers.

In order: V0 layers to V1 (upgrade_v0.py), data transformation fields, V1 layers to V2, input
fields to an Input layer, multipliers of BatchNorm.
"""
from __future__ import annotations

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.places import Place
from caffe_lrcn.proto.upgrade_v0 import set_field, upgrade_v0_layers

_V1 = caffe_pb2.V1LayerParameter

# V1 enum name -> type string.
V1_TYPES: dict[str, str] = {
    "NONE": "",
    "ABSVAL": "AbsVal",
    "ACCURACY": "Accuracy",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
    "CONVOLUTION": "Convolution",
    "DATA": "Data",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData",
    "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "HINGE_LOSS": "HingeLoss",
    "IM2COL": "Im2col",
    "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "MVN": "MVN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "SILENCE": "Silence",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
    "THRESHOLD": "Threshold",
    "WINDOW_DATA": "WindowData",
}

SOLVER_TYPES: dict[str, str] = {
    "SGD": "SGD",
    "NESTEROV": "Nesterov",
    "ADAGRAD": "AdaGrad",
    "RMSPROP": "RMSProp",
    "ADADELTA": "AdaDelta",
    "ADAM": "Adam",
}

# V1 data layers whose own message once held the transformation.
_TRANSFORMED = {
    _V1.DATA: "data_param",
    _V1.IMAGE_DATA: "image_data_param",
    _V1.WINDOW_DATA: "window_data_param",
}
_TRANSFORM_FIELDS = ("scale", "mean_file", "crop_size", "mirror")

# Fields of a V1 layer that go to LayerParameter under their own name, beside all *_param.
_SAME = ("name", "bottom", "top", "include", "exclude", "blobs", "loss_weight")
# Fields of a V1 layer, one value per parameter -> field of ParamSpec.
_SPECS = {"param": "name", "blob_share_mode": "share_mode", "blobs_lr": "lr_mult",
          "weight_decay": "decay_mult"}


def upgrade_net(param: caffe_pb2.NetParameter,
                place: Place) -> tuple[caffe_pb2.NetParameter, list[Place]]:
    """Upgrade a net; return it (the argument is changed) and the place of each layer.

    Raises:
        PrototxtError: the net mixes forms, or uses an old form in a way that has no new one.

    Source: Caffe upgrade_proto.cpp (UpgradeNetAsNeeded).
    """
    if param.layers and param.layer:
        raise PrototxtError("'layers' (old form) and 'layer' (new form) are mixed in one net",
                            where=place.at("layers", 0), remedy="Write all of them as 'layer'")
    places = [place.child("layer", i) for i in range(len(param.layer))]
    if param.layers:
        old, places = list(param.layers), [place.child("layers", i)
                                           for i in range(len(param.layers))]
        if any(layer.HasField("layer") for layer in old):
            old, places = upgrade_v0_layers(old, places)
            # CAFFE-QUIRK: this upgrade keeps these fields of the net and drops the others.
            for name in ("state", "debug_info", "input_shape"):
                param.ClearField(name)
        param.layer.extend(upgrade_v1_layer(layer) for layer in old)
        param.ClearField("layers")
    places = _upgrade_inputs(param, place) + places
    for layer in param.layer:
        _upgrade_batch_norm(layer)
    return param, places


def upgrade_v1_layer(old: caffe_pb2.V1LayerParameter) -> caffe_pb2.LayerParameter:
    """Return a V1 layer in today's form; its transformation fields move to transform_param.

    Source: Caffe upgrade_proto.cpp (UpgradeV1LayerParameter, UpgradeNetDataTransformation).
    """
    new = caffe_pb2.LayerParameter(type=v1_type_name(old.type))
    for field, value in old.ListFields():
        if field.name in _SPECS:
            for index, entry in enumerate(value):
                while len(new.param) <= index:
                    new.param.add()
                setattr(new.param[index], _SPECS[field.name], entry)
        elif field.name in _SAME or field.name.endswith("_param"):
            set_field(new, field.name, value)
    own = _TRANSFORMED.get(old.type)
    if own:
        source = getattr(new, own)
        for name in _TRANSFORM_FIELDS:
            if source.HasField(name):
                setattr(new.transform_param, name, getattr(source, name))
                source.ClearField(name)
    return new


def v1_type_name(number: int) -> str:
    """Return the type string for a V1 type number; unknown numbers show as "LayerType(n)"."""
    value = _V1.LayerType.DESCRIPTOR.values_by_number.get(number)
    return V1_TYPES[value.name] if value else f"LayerType({number})"


def upgrade_solver(param: caffe_pb2.SolverParameter, place: Place) -> None:
    """Turn the enum solver_type into the string type, in place.

    Raises:
        PrototxtError: both are given.

    Source: Caffe upgrade_proto.cpp (UpgradeSolverType).
    """
    if not param.HasField("solver_type"):
        return
    if param.HasField("type"):
        raise PrototxtError("both solver_type (old form) and type are given",
                            where=place.at("solver_type"), remedy="Remove solver_type")
    param.type = SOLVER_TYPES[caffe_pb2.SolverParameter.SolverType.Name(param.solver_type)]
    param.ClearField("solver_type")


def _upgrade_inputs(param: caffe_pb2.NetParameter, place: Place) -> list[Place]:
    """Put an Input layer first for the net's input fields; return its place, if there is one."""
    count, dims = len(param.input), list(param.input_dim)
    shapes = [list(shape.dim) for shape in param.input_shape]
    if not shapes:
        shapes = [dims[i:i + 4] for i in range(0, len(dims), 4)]
    # CAFFE-QUIRK: inputs without any shape vanish; the blobs are then unknown bottoms.
    new = bool(count and shapes)
    if new:
        if len(shapes) != count or any(len(shape) < 4 for shape in shapes if dims):
            raise PrototxtError(
                "the inputs and their shapes do not fit together", where=place.at("input", 0),
                got=f"{count} input, {len(param.input_shape)} input_shape, {len(dims)} input_dim",
                wanted="an input_shape for each input, or four input_dim for each")
        layer = caffe_pb2.LayerParameter(name="input", type="Input", top=param.input)
        for shape in shapes:
            layer.input_param.shape.add(dim=shape)
        layers = [layer, *param.layer]
        param.ClearField("layer")
        param.layer.extend(layers)
    for name in ("input", "input_shape", "input_dim"):
        param.ClearField(name)
    return [place.child("input", 0)] if new else []


def _upgrade_batch_norm(layer: caffe_pb2.LayerParameter) -> None:
    """Set the multipliers of the statistics, which no solver must touch, to zero."""
    if layer.type == "BatchNorm" and len(layer.param) == 3:
        for spec in layer.param:
            spec.lr_mult = spec.decay_mult = 0
