"""What errors propose: names that were meant, and how to install an extra."""
from __future__ import annotations

import pytest

from caffe_lrcn.hints import did_you_mean, install, misspelt, nearest
from caffe_lrcn.layer_types import TYPES


@pytest.mark.parametrize("name, meant", [
    ("Poolng", "Pooling"), ("pooling", "Pooling"), ("POOLING", "Pooling"), ("Poolings", "Pooling"),
    ("Convolutoin", "Convolution"), ("inner_product", "InnerProduct"), ("Relu", "ReLU"),
    ("SoftMaxWithLoss", "SoftmaxWithLoss"), ("SoftmaxLoss", "SoftmaxWithLoss"),
    ("DropOut", "Dropout"), ("HDF5_DATA", "HDF5Data")])
def test_a_slip_of_the_pen_finds_the_type(name, meant):
    assert misspelt(name, TYPES) == [meant]


@pytest.mark.parametrize("name", ["PSROIPooling", "ROIPooling", "Pooling3D", "L2Normalize",
                                  "ConvolutionDepthwise", "MultiBoxLoss",
                                  "PythonLayer2", "x" * 5000])
def test_another_layer_is_not_a_slip_of_the_pen(name):
    assert misspelt(name, TYPES) == []


def test_the_nearest_names_come_first():
    assert nearest("kernelsize", ["stride", "kernel_h", "kernel_size"], 3)[0] == "kernel_size"
    assert did_you_mean(["a", "b"]) == "Did you mean 'a' or 'b'?"
    assert did_you_mean([]) is None


def test_extras_are_installed_from_the_checkout():
    assert install("cuda13", "cuda12").startswith(
        "Run pip install '.[cuda13]' or pip install '.[cuda12]' in the checkout")
