"""Layer types: one prototxt type, one file. The table says where each lives."""
from __future__ import annotations

import importlib
from functools import cache

from .base import Layer

__all__ = ["TYPES", "Layer", "layer_class"]

# type -> "module:Class"; imported when a net first uses the type.
TYPES: dict[str, str] = {
    "AbsVal": "abs_val:AbsVal",
    "Accuracy": "accuracy:Accuracy",
    "ArgMax": "argmax:ArgMax",
    "BNLL": "bnll:BNLL",
    "BatchNorm": "batch_norm:BatchNorm",
    "BatchReindex": "batch_reindex:BatchReindex",
    "Bias": "bias:Bias",
    "Clip": "clip:Clip",
    "Concat": "concat:Concat",
    "ContrastiveLoss": "contrastive_loss:ContrastiveLoss",
    "Convolution": "convolution:Convolution",
    "Crop": "crop:Crop",
    "Data": "data:Data",
    "Deconvolution": "deconvolution:Deconvolution",
    "Dropout": "dropout:Dropout",
    "DummyData": "dummy_data:DummyData",
    "ELU": "elu:ELU",
    "Eltwise": "eltwise:Eltwise",
    "Embed": "embed:Embed",
    "EuclideanLoss": "euclidean_loss:EuclideanLoss",
    "Exp": "exp:Exp",
    "Filter": "filter:Filter",
    "Flatten": "flatten:Flatten",
    "GRU": "gru:GRU",
    "HDF5Data": "hdf5_data:HDF5Data",
    "HDF5Output": "hdf5_output:HDF5Output",
    "HingeLoss": "hinge_loss:HingeLoss",
    "Im2col": "im2col:Im2col",
    "ImageData": "image_data:ImageData",
    "InfogainLoss": "infogain_loss:InfogainLoss",
    "InnerProduct": "inner_product:InnerProduct",
    "Input": "input:Input",
    "LRN": "lrn:LRN",
    "LSTM": "lstm:LSTM",
    "LSTMUnit": "lstm_unit:LSTMUnit",
    "Log": "log:Log",
    "MVN": "mvn:MVN",
    "MemoryData": "memory_data:MemoryData",
    "MultinomialLogisticLoss": "multinomial_logistic_loss:MultinomialLogisticLoss",
    "PReLU": "prelu:PReLU",
    "Parameter": "parameter:Parameter",
    "Pooling": "pooling:Pooling",
    "Power": "power:Power",
    "Python": "python:Python",
    "RNN": "rnn:RNN",
    "ReLU": "relu:ReLU",
    "Reduction": "reduction:Reduction",
    "Reshape": "reshape:Reshape",
    "Reverse": "reverse:Reverse",
    "SPP": "spp:SPP",
    "Scalar": "scalar:Scalar",
    "Scale": "scale:Scale",
    "Sigmoid": "sigmoid:Sigmoid",
    "SigmoidCrossEntropyLoss": "sigmoid_cross_entropy_loss:SigmoidCrossEntropyLoss",
    "Silence": "silence:Silence",
    "Slice": "slice:Slice",
    "Softmax": "softmax:Softmax",
    "SoftmaxWithLoss": "softmax_with_loss:SoftmaxWithLoss",
    "Split": "split:Split",
    "Swish": "swish:Swish",
    "TanH": "tanh:TanH",
    "Threshold": "threshold:Threshold",
    "Tile": "tile:Tile",
    "WindowData": "window_data:WindowData",
}


def layer_class(type_name: str) -> type[Layer]:
    """Return the class of a layer type.

    Raises:
        KeyError: the type is not in the table.
    """
    return _found(TYPES[type_name])


@cache
def _found(entry: str) -> type[Layer]:
    module, name = entry.split(":")
    return getattr(importlib.import_module(f".{module}", __name__), name)
