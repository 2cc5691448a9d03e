"""What losses say about labels that do not fit their scores."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import LabelError, NetError, ShapeError
from tests.harness.layers import make_layer

_SCORES = np.random.default_rng(0).uniform(0.1, 1, size=(4, 3, 2))
_one_label_a_sample = pytest.mark.parametrize("kind", ["HingeLoss", "MultinomialLogisticLoss"])


def _case(kind, label, backend=None):
    text = f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "label" top: "loss" }}'
    return make_layer(text, [_SCORES, label], backend=backend)


@_one_label_a_sample
@pytest.mark.parametrize("value", [6, -1, np.nan])
def test_labels_that_are_no_class_are_refused(kind, value, any_backend):
    case = _case(kind, [0, 1, value, 2], any_backend)
    with pytest.raises(LabelError, match="test.prototxt:1:.*'l'.*number 2 .*wanted 0 to 5"):
        case.forward()


@_one_label_a_sample
@pytest.mark.parametrize(("shape", "message"), [((3,), "differ in axis 0"),
                                                ((4, 2), "got .4, 2., wanted 4 labels")])
def test_other_numbers_of_labels_are_refused(kind, shape, message):
    with pytest.raises(ShapeError, match=f"test.prototxt:1:.*{message}"):
        _case(kind, np.zeros(shape))


@pytest.mark.parametrize("kind, shape", [
    ("HingeLoss", (4,)), ("MultinomialLogisticLoss", (4,)), ("SoftmaxWithLoss", (4, 2)),
    ("SigmoidCrossEntropyLoss", (4, 3, 2))])
def test_the_gradient_of_labels_is_refused(kind, shape):
    case = _case(kind, np.zeros(shape))
    case.forward()
    with pytest.raises(NetError, match="no gradient with respect to its labels"):
        case.backward(propagate_down=[True, True])
