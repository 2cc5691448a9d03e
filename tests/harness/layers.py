"""What tests of layers use: single layers, gradient checks, recorded cases."""
from __future__ import annotations

from caffe_lrcn.layer_types.base import TEST, TRAIN

from .case import Case, after_backward, break_op, during_backward, make_layer
from .gradients import check_broken_is_caught, check_gradients
from .recorded import GOLDEN, golden_prototxt, run_golden

__all__ = ["Case", "GOLDEN", "TEST", "TRAIN", "after_backward", "break_op",
           "check_broken_is_caught", "check_gradients", "during_backward", "golden_prototxt",
           "make_layer", "run_golden"]
