"""A LeNet written with NetSpec, and a training loop written by hand."""
from __future__ import annotations

import os
import tempfile

import numpy as np
from shapes import make_shapes

import caffe_lrcn as caffe
from caffe_lrcn import layers as L
from caffe_lrcn import params as P
from caffe_lrcn.proto import caffe_pb2

BATCH = 32


def lenet(batch_size: int) -> caffe_pb2.NetParameter:
    """Return the net; its data come from arrays."""
    xavier = dict(type="xavier")
    n = caffe.NetSpec()
    n.data, n.label = L.MemoryData(batch_size=batch_size, channels=1, height=28, width=28, ntop=2)
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=8, weight_filler=xavier)
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.conv2 = L.Convolution(n.pool1, kernel_size=5, num_output=16, weight_filler=xavier)
    n.pool2 = L.Pooling(n.conv2, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.ip1 = L.InnerProduct(n.pool2, num_output=50, weight_filler=xavier)
    n.relu1 = L.ReLU(n.ip1, in_place=True)
    n.score = L.InnerProduct(n.relu1, num_output=3, weight_filler=xavier)
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    return n.to_proto()


def make_solver(folder: str) -> caffe.SGDSolver:
    """Write net and solver definitions; return the solver."""
    net, path = os.path.join(folder, "lenet.prototxt"), os.path.join(folder, "solver.prototxt")
    with open(net, "w") as file:
        file.write(str(lenet(BATCH)))
    solver = caffe_pb2.SolverParameter(
        net=net, base_lr=0.02, momentum=0.9, weight_decay=0.0005, lr_policy="inv", gamma=0.0001,
        power=0.75, random_seed=1, test_iter=[4], test_interval=10_000, test_initialization=False)
    with open(path, "w") as file:
        file.write(str(solver))
    return caffe.SGDSolver(path)


def train(solver: caffe.SGDSolver, iterations: int) -> tuple[list[float], list[float]]:
    """Train; return the loss of each iteration and the accuracy after every 40."""
    losses, accuracies = [], []
    solver.net.set_input_arrays(*make_shapes(BATCH * 20, seed=1))
    solver.share_weights(solver.test_nets[0])
    for iteration in range(iterations):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
        if iteration % 40 == 39:
            accuracies.append(accuracy(solver.test_nets[0]))
            print(f"iteration {iteration + 1}: loss {np.mean(losses[-40:]):.3f}, "
                  f"accuracy {accuracies[-1]:.3f}")
    return losses, accuracies


def accuracy(net: caffe.Net) -> float:
    """Return the part of 128 new pictures whose best score is that of their label."""
    net.set_input_arrays(*make_shapes(BATCH * 4, seed=2))
    right = 0
    for _ in range(4):
        net.forward()
        right += int((net.blobs["score"].data.argmax(1) == net.blobs["label"].data.ravel()).sum())
    return right / (BATCH * 4)


def main() -> float:
    """Train and return the accuracy."""
    caffe.set_mode_cpu()
    with tempfile.TemporaryDirectory() as folder:
        solver = make_solver(folder)
        for name, blob in solver.net.blobs.items():
            print(f"{name:8} {blob.shape}")
        _, accuracies = train(solver, 120)
    return accuracies[-1]


if __name__ == "__main__":
    main()
