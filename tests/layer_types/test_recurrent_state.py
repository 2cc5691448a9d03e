"""Moving streams between forward passes: ``reorder``, and the static product that moves along."""
import numpy as np
import pytest

from tests.harness.layers import make_layer
from tests.layer_types.sequences import FILLERS

UNITS, ROWS = 3, [2, 0, 2, 2]


def case_of(kind, streams, backend):
    """A layer of one step, with the same parameters whatever the number of streams."""
    rng = np.random.default_rng(1)
    x, static = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 2))
    text = (f'layer {{ name: "r" type: "{kind}" bottom: "x" bottom: "cont" bottom: "s" top: "h" '
            f'recurrent_param {{ num_output: {UNITS} {FILLERS} }} }}')
    return make_layer(text, [x[:1, streams], np.ones((1, len(streams))), static[streams]],
                      backend=backend), x[1:, streams]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_streams_go_on_in_their_new_places(kind, any_backend64):
    moved, _ = case_of(kind, [0, 1, 2], any_backend64)
    moved.forward()
    direct, following = case_of(kind, ROWS, any_backend64)
    direct.forward()
    direct.bottom[0].host_data[...] = following
    direct.forward()

    moved.layer.reorder(np.array(ROWS))
    moved.layer.static_is_known = True
    for blob, source in zip(moved.bottom, direct.bottom, strict=True):
        blob.reshape(*source.shape)
        blob.host_data[...] = source.host_data
    moved.bottom[2].host_data[...] = np.nan  # known: not read again
    moved.layer.reshape(moved.bottom, moved.top)
    moved.forward()
    np.testing.assert_allclose(moved.top[0].host_data, direct.top[0].host_data, rtol=1e-12)


def test_order_matters(backend):
    case, _ = case_of("LSTM", [0, 1, 2], backend)
    case.forward()
    before = case.layer.state()
    case.layer.reorder(np.array([2, 1, 0]))
    for name, values in case.layer.state().items():
        np.testing.assert_array_equal(values, before[name][::-1])
        assert not np.array_equal(values, before[name])


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_the_norm_of_clipping_counts_frozen_parameters(kind, any_backend64):
    """CAFFE-QUIRK: gradients of parameters with lr_mult 0 are computed, as all of the layer's."""
    case, _ = case_of(kind, [0, 1, 2], any_backend64)
    case.layer.param_propagate_down = [False] * len(case.layer.blobs)
    case.forward()
    case.backward([np.ones(case.top[0].shape)], [False, False, False])
    assert all(np.any(blob.host_diff) for blob in case.layer.blobs[:2])
