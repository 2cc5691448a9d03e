"""Several labels a picture, from a data layer in Python, learnt with SigmoidCrossEntropyLoss."""
from __future__ import annotations

import json
import os
import tempfile

import numpy as np
from shapes import NAMES

import caffe_lrcn as caffe
from caffe_lrcn import layers as L
from caffe_lrcn import params as P
from caffe_lrcn.proto import caffe_pb2


def definition(seed: int) -> caffe_pb2.NetParameter:
    """Return a net with three scores a picture, one for each kind of shape."""
    xavier = dict(type="xavier")
    n = caffe.NetSpec()
    n.data, n.label = L.Python(module="example_layers", layer="ShapesWithLabels", ntop=2,
                               param_str=json.dumps({"batch_size": 32, "seed": seed}))
    n.conv = L.Convolution(n.data, kernel_size=7, num_output=12, weight_filler=xavier)
    n.relu = L.ReLU(n.conv, in_place=True)
    n.pool = L.Pooling(n.relu, kernel_size=4, stride=4, pool=P.Pooling.MAX)
    n.hidden = L.InnerProduct(n.pool, num_output=40, weight_filler=xavier)
    n.relu2 = L.ReLU(n.hidden, in_place=True)
    n.score = L.InnerProduct(n.relu2, num_output=3, weight_filler=xavier)
    n.loss = L.SigmoidCrossEntropyLoss(n.score, n.label)
    return n.to_proto()


def hamming_accuracy(net: caffe.Net, batches: int) -> np.ndarray:
    """Return how often each of the labels is right."""
    right = []
    for _ in range(batches):
        net.forward()
        right.append((net.blobs["score"].data > 0) == (net.blobs["label"].data > 0))
    return np.concatenate(right).mean(0)


def main() -> float:
    """Train and return the accuracy over all labels."""
    caffe.set_mode_cpu()
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("train", "test", "solver")]
        contents = [definition(1), definition(2), caffe_pb2.SolverParameter(
            train_net=paths[0], test_net=[paths[1]], test_iter=[1], test_interval=10_000,
            base_lr=0.005, momentum=0.9, momentum2=0.999, type="Adam",
            lr_policy="fixed", random_seed=1)]
        for path, content in zip(paths, contents, strict=True):
            with open(path, "w") as file:
                file.write(str(content))
        solver = caffe.get_solver(paths[2])
        for iterations in (0, 60, 60):
            solver.step(iterations)
            accuracy = hamming_accuracy(solver.test_nets[0], 4)
            print(f"iteration {solver.iter:3}:", ", ".join(
                f"{name} {value:.2f}" for name, value in zip(NAMES, accuracy, strict=True)))
    return float(accuracy.mean())


if __name__ == "__main__":
    main()
