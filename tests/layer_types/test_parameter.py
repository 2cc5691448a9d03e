from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.layer_types.base import TRAIN, Settings
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.caffe_pb2 import SolverParameter
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.solver.step import EagerStep
from caffe_lrcn.solver.updates import RULES
from tests.harness.layers import check_broken_is_caught, make_layer

_VALUES = np.random.default_rng(0).normal(size=(2, 3))


def _layer(name: str = "p", top: str = "p", extra: str = "") -> str:
    return (f'layer {{ name: "{name}" type: "Parameter" top: "{top}" {extra} '
            f'parameter_param {{ shape {{ dim: 2 dim: 3 }} }} }}')


def _net(text: str, **settings) -> Net:
    return Net(parse_net(text, "test.prototxt"), get_backend("cpu", np.float64), phase=TRAIN,
               settings=Settings(**settings))


# The loss is half the mean squared distance of the parameter from 0.
_LOSS = '''
    layer { name: "zero" type: "DummyData" top: "zero"
            dummy_data_param { shape { dim: 2 dim: 3 } } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "%s" bottom: "zero" top: "loss" }'''


def test_starts_at_zero_and_gives_its_values(any_backend):
    case = make_layer(_layer(), [], backend=any_backend)
    assert not case.layer.blobs[0].host_data.any()
    case.layer.blobs[0].host_data[...] = _VALUES
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, _VALUES, rtol=1e-6)


def test_takes_values_from_the_definition():
    given = "blobs { shape { dim: 2 dim: 3 } " + " ".join(f"data: {i}" for i in range(6)) + " }"
    case = make_layer(_layer(extra=given), [])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data.ravel(), range(6))


def test_top_and_parameter_share_storage():
    case = make_layer(_layer(), [])
    case.top[0].host_data[...] = 3
    assert (case.layer.blobs[0].host_data == 3).all()


def test_gradient():
    def prepare(case):
        case.layer.blobs[0].host_data[...] = _VALUES

    def double(layer):
        true = layer.backward

        def broken(*args):
            true(*args)
            true(*args)
        layer.backward = broken
    check_broken_is_caught(_layer(), [], double, wrt=[], prepare=prepare)


@pytest.mark.parametrize("strict", [False, True])
def test_gradients_of_several_passes(strict):
    # CAFFE-QUIRK: in the reference the last pass wins.
    net = _net(_layer() + _LOSS % "p", strict=strict)
    net.params["p"][0].host_data[...] = _VALUES
    net.clear_param_diffs()
    for _ in range(3):
        net.forward()
        net.backward()
    np.testing.assert_allclose(net.params["p"][0].host_diff, _VALUES / 2 * (1 if strict else 3))


def test_learns_through_a_split():
    net = _net(_layer() + _LOSS % "p" + 'layer { name: "s" type: "Silence" bottom: "p" }'
               + _LOSS.replace('"loss"', '"loss2"').replace('"zero"', '"zero2"') % "p")
    step = EagerStep(net, SolverParameter(), RULES["SGD"])
    net.params["p"][0].host_data[...] = _VALUES
    net.clear_param_diffs()
    assert step.gradients().loss == pytest.approx((_VALUES ** 2).sum() / 2)
    step.update(1, 0)
    assert net.forward() == pytest.approx(0)


def test_shared_parameters_are_read_from_their_owner():
    share = 'param { name: "w" }'
    net = _net(_layer("p", "p", share) + _layer("q", "q", share) + _LOSS % "p"
               + _LOSS.replace('"loss"', '"loss2"').replace('"zero"', '"zero2"') % "q")
    net.params["p"][0].host_data[...] = _VALUES
    net.clear_param_diffs()
    assert net.forward() == pytest.approx((_VALUES ** 2).sum() / 2)
    net.backward()
    np.testing.assert_allclose(net.params["q"][0].host_diff, _VALUES)


def test_a_shape_is_optional():
    case = make_layer('layer { name: "p" type: "Parameter" top: "p" }', [])
    case.forward()
    assert case.top[0].shape == ()


def test_in_place_on_one_of_two_tops_changes_the_parameter(caplog):
    """CAFFE-QUIRK: both tops and the parameter are one array, and each pass changes it."""
    share = 'param { name: "w" }'
    net = _net(_layer("p", "p", share) + _layer("q", "q", share)
               + 'layer { name: "t" type: "TanH" bottom: "p" top: "p" }')
    assert "layer 't' changes in place the memory of 'p', so layer 'p' begins its next pass with " \
           "changed values, as in Caffe" in caplog.text
    net.params["q"][0].host_data[...] = _VALUES
    for passes in (1, 2):
        net.forward()
        want = np.tanh(_VALUES) if passes == 1 else np.tanh(np.tanh(_VALUES))
        for blob in (net.blobs["p"], net.blobs["q"], net.params["p"][0]):
            np.testing.assert_allclose(blob.host_data, want)


def test_a_top_shows_the_weights_of_another_layer_under_their_name():
    share = 'param { name: "w" }'
    net = _net('layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 '
               'dim: 3 } } } layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" '
               f'inner_product_param {{ num_output: 2 }} {share} }}' + _layer("q", "q", share)
               + 'layer { name: "s" type: "Silence" bottom: "q" }' + _LOSS % "q")
    EagerStep(net, SolverParameter(), RULES["SGD"])  # weights move to the arena
    net.params["ip"][0].host_data[...] = _VALUES
    assert net.forward() == pytest.approx((_VALUES ** 2).sum() / 4)
    assert net.blobs["q"].shares_data_with(net.params["ip"][0])
