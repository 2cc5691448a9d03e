"""A steady training step allocates nothing of a blob's size."""
import tracemalloc

import numpy as np

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net, parse_solver
from caffe_lrcn.solver.step import EagerStep
from caffe_lrcn.solver.updates import RULES

WORDS, UNITS, STEPS, STREAMS = 500, 64, 10, 16
# Elementwise ops may use one cache-sized block of scratch; every activation below is larger.
LIMIT = 160_000
FILL = 'weight_filler { type: "uniform" min: -0.08 max: 0.08 }'
NET = f"""
layer {{ name: "img" type: "Input" top: "data"
  input_param {{ shape {{ dim: {STREAMS} dim: 3 dim: 67 dim: 67 }} }} }}
layer {{ name: "words" type: "Input" top: "cont" top: "input" top: "target"
  input_param {{ shape {{ dim: {STEPS} dim: {STREAMS} }} }} }}
layer {{ name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param {{ num_output: 32 kernel_size: 11 stride: 4 {FILL} }} }}
layer {{ name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }}
layer {{ name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param {{ kernel_size: 3 stride: 2 }} }}
layer {{ name: "norm1" type: "LRN" bottom: "pool1" top: "norm1"
  lrn_param {{ local_size: 5 alpha: 0.0001 }} }}
layer {{ name: "conv2" type: "Convolution" bottom: "norm1" top: "conv2"
  convolution_param {{ num_output: 64 kernel_size: 5 pad: 2 group: 2 {FILL} }} }}
layer {{ name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }}
layer {{ name: "pool2" type: "Pooling" bottom: "conv2" top: "pool2"
  pooling_param {{ pool: AVE kernel_size: 3 stride: 2 }} }}
layer {{ name: "fc6" type: "InnerProduct" bottom: "pool2" top: "fc6"
  inner_product_param {{ num_output: 256 {FILL} }} }}
layer {{ name: "drop" type: "Dropout" bottom: "fc6" top: "fc6" }}
layer {{ name: "embed" type: "Embed" bottom: "input" top: "embed"
  embed_param {{ bias_term: false input_dim: {WORDS} num_output: {UNITS} {FILL} }} }}
layer {{ name: "lstm1" type: "LSTM" bottom: "embed" bottom: "cont" top: "lstm1"
  recurrent_param {{ num_output: {UNITS} {FILL} }} }}
layer {{ name: "lstm2" type: "LSTM" bottom: "lstm1" bottom: "cont" bottom: "fc6" top: "lstm2"
  recurrent_param {{ num_output: {UNITS} {FILL} }} }}
layer {{ name: "predict" type: "InnerProduct" bottom: "lstm2" top: "predict"
  inner_product_param {{ axis: 2 num_output: {WORDS} {FILL} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "predict" bottom: "target" top: "loss"
  softmax_param {{ axis: 2 }} loss_param {{ ignore_label: -1 }} }}
"""


def test_a_steady_step_allocates_nothing_of_a_blobs_size():
    net = Net(parse_net(NET), get_backend("cpu"), phase=0)
    rng = np.random.default_rng(0)
    net.blobs["data"].host_data[...] = rng.normal(size=net.blobs["data"].shape)
    net.blobs["input"].host_data[...] = rng.integers(0, WORDS, (STEPS, STREAMS))
    net.blobs["target"].host_data[...] = rng.integers(-1, WORDS, (STEPS, STREAMS))
    net.blobs["cont"].host_data[1:] = 1
    assert net.blobs["predict"].count * 4 >= 2 * LIMIT

    solver = parse_solver("momentum: 0.9 weight_decay: 0.1 clip_gradients: 1")
    training = EagerStep(net, solver.param, RULES["SGD"])

    def step():
        net.clear_param_diffs()
        training.gradients()
        training.update(0.01, 0)

    for _ in range(3):
        step()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        step()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < LIMIT
    assert after - before < 20_000
