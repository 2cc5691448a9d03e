"""How errors read."""
from __future__ import annotations

import pickle

import pytest

from caffe_lrcn.errors import CaffeError, ShapeError


@pytest.mark.parametrize(("remedy", "end"), [
    (None, "(got 2, wanted 3)"), ("Rename it", "(got 2, wanted 3). Rename it."),
    ("Rename it.", "(got 2, wanted 3). Rename it."),
    ("Did you mean 'x'?", "(got 2, wanted 3). Did you mean 'x'?")])
def test_an_error_says_all_it_knows(remedy, end):
    error = CaffeError("no", where="a.prototxt:1:2", layer="ip", got=2, wanted=3, remedy=remedy)
    assert str(error) == f"a.prototxt:1:2: layer 'ip': no {end}"


def test_an_error_keeps_its_fields_between_processes():
    error = pickle.loads(pickle.dumps(ShapeError("no", layer="ip", got=(1, 2))))
    assert isinstance(error, ValueError) and str(error) == "layer 'ip': no (got (1, 2))"
