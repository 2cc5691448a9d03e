"""The update of one parameter written out plainly, the way Caffe's solvers describe it."""
from __future__ import annotations

import numpy as np


def sgd(p, i, rate, g, s):
    s["v"] = p.momentum * s["v"] + rate * g
    return s["v"]


def nesterov(p, i, rate, g, s):
    before, s["v"] = s["v"], p.momentum * s["v"] + rate * g
    return (1 + p.momentum) * s["v"] - p.momentum * before


def adagrad(p, i, rate, g, s):
    s["v"] = s["v"] + g ** 2
    return rate * g / (np.sqrt(s["v"]) + p.delta)


def rmsprop(p, i, rate, g, s):
    s["v"] = p.rms_decay * s["v"] + (1 - p.rms_decay) * g ** 2
    return rate * g / (np.sqrt(s["v"]) + p.delta)


def adadelta(p, i, rate, g, s):
    s["v"] = p.momentum * s["v"] + (1 - p.momentum) * g ** 2
    d = g * np.sqrt((s["w"] + p.delta) / (s["v"] + p.delta))
    s["w"] = p.momentum * s["w"] + (1 - p.momentum) * d ** 2
    return rate * d


def adam(p, i, rate, g, s):
    s["v"] = p.momentum * s["v"] + (1 - p.momentum) * g
    s["w"] = p.momentum2 * s["w"] + (1 - p.momentum2) * g ** 2
    m_hat = s["v"] / (1 - p.momentum ** (i + 1))
    return rate * m_hat * np.sqrt(1 - p.momentum2 ** (i + 1)) / (np.sqrt(s["w"]) + p.delta)


#: Rule and a momentum that it accepts.
FORMULAS = {"SGD": (sgd, 0.9), "Nesterov": (nesterov, 0.9), "AdaGrad": (adagrad, 0),
            "RMSProp": (rmsprop, 0), "AdaDelta": (adadelta, 0.95), "Adam": (adam, 0.9)}


class PlainUpdate:
    """Moves a list of arrays, one after the other; multipliers as in ``Arena``."""

    def __init__(self, param, weights, rates, decays):
        self.param, self.weights = param, weights
        self.rates, self.decays = rates, decays
        self.states = [{"v": np.zeros_like(w), "w": np.zeros_like(w)} for w in weights]

    def step(self, diffs, rate, iteration):
        """Return the new weights and the steps that led to them."""
        p, steps = self.param, []
        norm = np.sqrt(sum((d ** 2).sum() for d in diffs))
        clip = p.clip_gradients / norm if 0 <= p.clip_gradients < norm else 1
        for index, diff in enumerate(diffs):
            w, decay = self.weights[index], p.weight_decay * self.decays[index]
            g = diff * clip / p.iter_size
            g = g + decay * (w if p.regularization_type == "L2" else np.sign(w))
            formula = FORMULAS[p.type][0]
            steps.append(formula(p, iteration, rate * self.rates[index], g, self.states[index]))
            self.weights[index] = w - steps[-1]
        return self.weights, steps
