"""Fillers that divide by the size of axis 0: a single number is refused with the layer's place."""
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net


def scale_of_no_axes(filler):
    text = ('layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } }\n'
            'layer { name: "s" type: "Scale" bottom: "x" top: "y" '
            f'scale_param {{ axis: 0 num_axes: 0 filler {{ {filler} }} }} }}')
    return Net(parse_net(text, "n.prototxt"), get_backend("cpu", np.float64), phase=0)


@pytest.mark.parametrize("filler", ['type: "xavier"', 'type: "msra"', 'type: "positive_unitball"',
                                    'type: "xavier" variance_norm: FAN_OUT',
                                    'type: "gaussian" sparse: 1'])
def test_a_number_without_axes_has_no_fans(filler):
    with pytest.raises(PrototxtError, match=r"n.prototxt:2:\d+: layer 's': the filler \w+ needs a "
                                            r"blob with axes.*got \(\).*constant, uniform or gau"):
        scale_of_no_axes(filler)


@pytest.mark.parametrize("filler", ['type: "uniform"', 'type: "gaussian"', 'value: 3'])
def test_other_fillers_make_a_number(filler):
    assert np.isfinite(scale_of_no_axes(filler).params["s"][0].host_data)
