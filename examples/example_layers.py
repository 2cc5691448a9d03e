"""Layers in Python, named by the nets of python_loss.py and multilabel.py."""
from __future__ import annotations

import json

import numpy as np
from shapes import SIZE, draw

import caffe_lrcn as caffe


class EuclideanLoss(caffe.Layer):
    """``1 / (2 N) · Σ (a - b)²``; the gradients are ±(a - b) / N."""

    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise ValueError("EuclideanLoss needs two bottoms")

    def reshape(self, bottom, top):
        if bottom[0].count != bottom[1].count:
            raise ValueError("the bottoms differ in size")
        self.diff = np.zeros(bottom[0].shape, np.float32)
        top[0].reshape(1)

    def forward(self, bottom, top):
        self.diff[...] = bottom[0].data - bottom[1].data
        top[0].data[...] = (self.diff ** 2).sum() / bottom[0].num / 2

    def backward(self, top, propagate_down, bottom):
        for index, sign in enumerate((1, -1)):
            if propagate_down[index]:
                bottom[index].diff[...] = sign * self.diff / bottom[index].num


class ShapesWithLabels(caffe.Layer):
    """Pictures with up to three shapes, and one label for each kind of shape: there or not.

    ``param_str``: JSON with ``batch_size`` and ``seed``.
    """

    def setup(self, bottom, top):
        settings = json.loads(self.param_str)
        self.rng = np.random.default_rng(settings["seed"])
        top[0].reshape(settings["batch_size"], 1, SIZE, SIZE)
        top[1].reshape(settings["batch_size"], 3)

    def reshape(self, bottom, top):
        pass  # the size of a batch never changes

    def forward(self, bottom, top):
        labels = self.rng.integers(0, 2, top[1].shape)
        top[1].data[...] = labels
        for picture, present in zip(top[0].data[:, 0], labels, strict=True):
            kinds = [draw(kind, self.rng) for kind in np.flatnonzero(present)]
            ground = self.rng.uniform(0, 0.2, (SIZE, SIZE))
            picture[...] = np.max([ground, *kinds], axis=0)

    def backward(self, top, propagate_down, bottom):
        pass  # data have no bottoms

    # With these two a training run that is interrupted goes on with the same pictures.

    def state(self):
        return self.rng.bit_generator.state

    def restore(self, state):
        self.rng.bit_generator.state = state
