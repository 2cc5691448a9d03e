"""Logistic regression from HDF5 files, then the same with a hidden layer."""
from __future__ import annotations

import os
import tempfile

import h5py
import numpy as np

import caffe_lrcn as caffe
from caffe_lrcn import layers as L
from caffe_lrcn.proto import caffe_pb2


def write_data(folder: str, name: str, count: int, seed: int) -> str:
    """Write points of two classes, which lie inside and outside of a ring; return the list."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 4)).astype(np.float32)
    # Mostly linear in the third number, but for the ring of the first two.
    labels = (np.hypot(points[:, 0], points[:, 1]) + 0.6 * points[:, 2] > 1.2)
    path = os.path.join(folder, f"{name}.h5")
    with h5py.File(path, "w") as file:
        file["data"], file["label"] = points, labels.astype(np.float32)
    listing = os.path.join(folder, f"{name}.txt")
    with open(listing, "w") as file:
        file.write(path + "\n")
    return listing


def definition(listing: str, hidden: int) -> caffe_pb2.NetParameter:
    """Return a classifier of points, with a hidden layer if ``hidden`` is above 0."""
    xavier = dict(type="xavier")
    n = caffe.NetSpec()
    n.data, n.label = L.HDF5Data(batch_size=50, source=listing, ntop=2)
    top = n.data
    if hidden:
        n.hidden = L.InnerProduct(top, num_output=hidden, weight_filler=xavier)
        top = n.relu = L.ReLU(n.hidden, in_place=True)
    n.score = L.InnerProduct(top, num_output=2, weight_filler=xavier)
    n.accuracy = L.Accuracy(n.score, n.label)
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    return n.to_proto()


def train(folder: str, lists: list[str], hidden: int) -> float:
    """Train; return the accuracy on points that were not trained on."""
    nets = [os.path.join(folder, name) for name in ("train.prototxt", "test.prototxt")]
    for path, listing in zip(nets, lists, strict=True):
        with open(path, "w") as file:
            file.write(str(definition(listing, hidden)))
    path = os.path.join(folder, "solver.prototxt")
    with open(path, "w") as file:
        file.write(str(caffe_pb2.SolverParameter(
            train_net=nets[0], test_net=[nets[1]], test_iter=[20], test_interval=10_000,
            base_lr=0.1, momentum=0.9, lr_policy="step", gamma=0.1,
            stepsize=250, max_iter=300, random_seed=1, snapshot_after_train=False)))
    solver = caffe.get_solver(path)
    solver.solve()
    test = solver.test_nets[0]
    return float(np.mean([test.forward()["accuracy"] for _ in range(20)]))


def main() -> tuple[float, float]:
    """Return the accuracy without and with a hidden layer."""
    caffe.set_mode_cpu()
    with tempfile.TemporaryDirectory() as folder:
        lists = [write_data(folder, "train", 2000, 1), write_data(folder, "test", 1000, 2)]
        linear, nonlinear = train(folder, lists, 0), train(folder, lists, 40)
    print(f"accuracy: {linear:.3f} linear, {nonlinear:.3f} with a hidden layer")
    return linear, nonlinear


if __name__ == "__main__":
    main()
