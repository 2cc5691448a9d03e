"""Classify pictures of any size: by hand with Transformer and Net, then with Classifier."""
from __future__ import annotations

import os
import tempfile

import lenet_netspec
import numpy as np
from PIL import Image
from shapes import NAMES, draw

import caffe_lrcn as caffe
from caffe_lrcn import layers as L


def train_and_save(folder: str) -> tuple[str, str]:
    """Train the net of lenet_netspec.py; return the definition to classify with, and weights."""
    solver = lenet_netspec.make_solver(folder)
    lenet_netspec.train(solver, 120)
    weights = os.path.join(folder, "lenet.caffemodel")
    solver.net.save(weights)

    definition = lenet_netspec.lenet(1)
    del definition.layer[0], definition.layer[-1]
    data = caffe.to_proto(L.Input(shape=dict(dim=[1, 1, 28, 28]), name="data")).layer[0]
    data.top[0] = "data"
    n = caffe.proto.caffe_pb2.NetParameter(layer=[data, *definition.layer])
    n.layer.add(name="prob", type="Softmax", bottom=["score"], top=["prob"])
    model = os.path.join(folder, "deploy.prototxt")
    with open(model, "w") as file:
        file.write(str(n))
    return model, weights


def draw_pictures(folder: str) -> list[str]:
    """Write a large picture of each shape; return the files."""
    files = []
    for kind, name in enumerate(NAMES):
        pixels = (255 * draw(kind, np.random.default_rng(7 + kind))).astype(np.uint8)
        files.append(os.path.join(folder, f"{name}.png"))
        Image.fromarray(pixels).resize((84, 84)).save(files[-1])
    return files


def by_hand(model: str, weights: str, files: list[str]) -> list[str]:
    """Return the names of the best classes."""
    net = caffe.Net(model, caffe.TEST, weights=weights)
    net.blobs["data"].reshape(len(files), 1, 28, 28)
    transformer = caffe.io.Transformer({"data": net.blobs["data"].shape})
    transformer.set_transpose("data", (2, 0, 1))
    batch = [transformer.preprocess("data", caffe.io.load_image(file, color=False))
             for file in files]
    prob = net.forward(data=np.stack(batch))["prob"]
    for name, blob in net.blobs.items():
        print(f"{name:6} {str(blob.shape):18} mean {blob.data.mean():7.3f}")
    for name, params in net.params.items():
        print(f"{name:6} {params[0].shape} {params[1].shape}")
    return [NAMES[index] for index in prob.argmax(1)]


def main() -> list[list[str]]:
    """Return the classes found in both ways; the right ones are square, disc and cross."""
    caffe.set_mode_cpu()
    with tempfile.TemporaryDirectory() as folder:
        model, weights = train_and_save(folder)
        files = draw_pictures(folder)
        found = by_hand(model, weights, files)
        classifier = caffe.Classifier(model, weights, image_dims=(30, 30))
        scores = classifier.predict([caffe.io.load_image(file, False) for file in files])
    again = [NAMES[index] for index in scores.argmax(1)]
    print("by hand:", *found)
    print("Classifier with ten crops:", *again)
    return [found, again]


if __name__ == "__main__":
    main()
