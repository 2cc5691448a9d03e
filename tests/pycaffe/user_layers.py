"""Layers as a user's module defines them; nets name them by this module."""
from __future__ import annotations

import json

import numpy as np

import caffe_lrcn as caffe


class Multiply(caffe.Layer):
    """Multiplies by ``param_str``."""

    def setup(self, bottom, top):
        self.factor = float(self.param_str)

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = self.factor * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        self.seen = propagate_down
        bottom[0].diff[...] = self.factor * top[0].diff


class Bias(caffe.Layer):
    """Adds one learnt number."""

    def setup(self, bottom, top):
        self.blobs.add_blob(1)
        self.blobs[0].data[0] = 2

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data + self.blobs[0].data

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = top[0].diff
        self.blobs[0].diff[0] += top[0].diff.sum()


class Euclidean(caffe.Layer):
    """A loss of two bottoms."""

    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise ValueError("two bottoms, please")

    def reshape(self, bottom, top):
        top[0].reshape(1)

    def forward(self, bottom, top):
        self.diff = bottom[0].data - bottom[1].data
        top[0].data[0] = (self.diff ** 2).sum() / bottom[0].num / 2

    def backward(self, top, propagate_down, bottom):
        for index, sign in enumerate((1, -1)):
            if propagate_down[index]:
                bottom[index].diff[...] = sign * self.diff / bottom[index].num


class Phase(caffe.Layer):
    """Tells what it was made with."""

    def __init__(self, layer_param, *args):
        super().__init__(layer_param, *args)
        self.given = layer_param.name, self.phase, self.param_str

    def reshape(self, bottom, top):
        top[0].reshape()

    def forward(self, bottom, top):
        top[0].data[...] = self.phase


class Forgetful(caffe.Layer):
    """Data that count up."""

    def setup(self, bottom, top):
        self.count = 0
        self.shapes = json.loads(self.param_str or "[[4, 3], [4, 2]]")

    def reshape(self, bottom, top):
        for blob, shape in zip(top, self.shapes, strict=True):
            blob.reshape(*shape)

    def forward(self, bottom, top):
        self.count += 1
        for blob in top:
            blob.data[...] = np.sin(self.count + np.arange(blob.count)).reshape(blob.shape)

    def backward(self, top, propagate_down, bottom):
        pass


class Mindful(Forgetful):
    """The same, and remembers where it was."""

    def state(self):
        return {"count": self.count, "array": np.arange(2)}

    def restore(self, state):
        assert state["array"].tolist() == [0, 1]
        self.count = state["count"]


class Failing(Multiply):
    """Raises while it runs."""

    def forward(self, bottom, top):
        raise ArithmeticError("on purpose")


class Stateful(Multiply):
    """Has bottoms and says that it remembers something."""

    stateful = True


class Constant(Forgetful):
    """Has no bottoms and says that it remembers nothing."""

    stateful = False


not_a_layer = 3
