"""Each rule against its formula, written out a second time for one number."""
from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.blob import Blob
from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto.text import parse_solver
from caffe_lrcn.solver import gradients
from caffe_lrcn.solver.updates import RULES, find_rule

ETA = 0.3


def sgd(p, i, g, s):
    s["v"] = p.momentum * s["v"] + ETA * g
    return s["v"]


def nesterov(p, i, g, s):
    before, s["v"] = s["v"], p.momentum * s["v"] + ETA * g
    return (1 + p.momentum) * s["v"] - p.momentum * before


def adagrad(p, i, g, s):
    s["v"] += g ** 2
    return ETA * g / (math.sqrt(s["v"]) + p.delta)


def rmsprop(p, i, g, s):
    s["v"] = p.rms_decay * s["v"] + (1 - p.rms_decay) * g ** 2
    return ETA * g / (math.sqrt(s["v"]) + p.delta)


def adadelta(p, i, g, s):
    s["v"] = p.momentum * s["v"] + (1 - p.momentum) * g ** 2
    d = g * math.sqrt((s["w"] + p.delta) / (s["v"] + p.delta))
    s["w"] = p.momentum * s["w"] + (1 - p.momentum) * d ** 2
    return ETA * d


def adam(p, i, g, s):
    s["v"] = p.momentum * s["v"] + (1 - p.momentum) * g
    s["w"] = p.momentum2 * s["w"] + (1 - p.momentum2) * g ** 2
    m_hat = s["v"] / (1 - p.momentum ** (i + 1))
    return (ETA * m_hat * math.sqrt(1 - p.momentum2 ** (i + 1))
            / (math.sqrt(s["w"]) + p.delta))


FORMULAS = {"SGD": (sgd, 0.9), "Nesterov": (nesterov, 0.9), "AdaGrad": (adagrad, 0),
            "RMSProp": (rmsprop, 0), "AdaDelta": (adadelta, 0.95), "Adam": (adam, 0.9)}


@pytest.mark.parametrize("name", RULES)
def test_rule(name):
    backend = get_backend("cpu", np.float64)
    formula, momentum = FORMULAS[name]
    solver = parse_solver(f'type: "{name}" momentum: {momentum} momentum2: 0.99 delta: 0.01 '
                          "rms_decay: 0.8")
    rule = find_rule(solver.param, solver.place)
    history = [np.zeros(3) for _ in range(rule.histories)]
    states = [{"v": 0.0, "w": 0.0} for _ in range(3)]
    rng = np.random.default_rng(1)
    for iteration in range(5):
        g = rng.standard_normal(3)
        want = [formula(solver.param, iteration, float(x), s)
                for x, s in zip(g, states, strict=True)]
        rule.update(backend, solver.param, ETA, iteration, g, history)
        np.testing.assert_allclose(g, want, rtol=1e-12)
    for slot, key in zip(history, ("v", "w"), strict=False):
        np.testing.assert_allclose(slot, [state[key] for state in states], rtol=1e-12)


@pytest.mark.parametrize(("text", "named"), [
    ('type: "Adamm"', "Did you mean 'Adam'"), ('type: "LBFGS"', "SGD, Nesterov, AdaGrad"),
    ('type: "AdaGrad" momentum: 0.9', "momentum"), ('type: "RMSProp" momentum: 0.9', "momentum"),
    ('type: "RMSProp" rms_decay: 1', "rms_decay"), ('type: "Adam" momentum2: 1', "momentum2")])
def test_refused(text, named):
    solver = parse_solver(text, "s.prototxt")
    with pytest.raises(PrototxtError, match=named) as error:
        find_rule(solver.param, solver.place)
    assert str(error.value).startswith("s.prototxt:1:")


def blobs_of(*arrays):
    backend, blobs = get_backend("cpu", np.float64), []
    for array in arrays:
        blob = Blob(backend, np.shape(array))
        blob.diff[...] = array
        blob.data[...] = [-2, 0, 4]
        blobs.append(blob)
    return SimpleNamespace(backend=backend, blobs=blobs)


def test_clip_scales_all_parameters_by_their_common_norm(caplog):
    caplog.set_level("INFO", "caffe_lrcn")
    case = blobs_of([3.0, 0, 0], [0, 4.0, 0])
    gradients.clip(case.backend, case.blobs, 5.0)
    np.testing.assert_array_equal(case.blobs[1].diff, [0, 4, 0])
    gradients.clip(case.backend, case.blobs, 2.5)
    np.testing.assert_allclose(case.blobs[0].diff, [1.5, 0, 0])
    np.testing.assert_allclose(case.blobs[1].diff, [0, 2, 0])
    assert ("Gradient clipping: scaling down gradients (L2 norm 5 > 2.5) by scale factor 0.5"
            in caplog.text)


def test_clip_at_zero_wipes_out_and_below_does_nothing():
    """CAFFE-QUIRK: clip_gradients 0 is a limit, not a switch."""
    case = blobs_of([3.0, 0, 4])
    gradients.clip(case.backend, case.blobs, -1)
    np.testing.assert_array_equal(case.blobs[0].diff, [3, 0, 4])
    gradients.clip(case.backend, case.blobs, 0)
    np.testing.assert_array_equal(case.blobs[0].diff, [0, 0, 0])


@pytest.mark.parametrize(("kind", "want"), [("L2", [0.8, 1, 1.4]), ("L1", [0.9, 1, 1.1])])
def test_regularise(kind, want):
    case = blobs_of([1.0, 1, 1])
    gradients.regularise(case.backend, case.blobs[0], kind, 0.1)
    np.testing.assert_allclose(case.blobs[0].diff, want)


def test_normalise():
    case = blobs_of([1.0, 2, 3])
    gradients.normalise(case.backend, case.blobs[0], 4)
    np.testing.assert_allclose(case.blobs[0].diff, [0.25, 0.5, 0.75])
