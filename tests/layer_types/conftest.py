"""Fixtures of tests of layers."""
from __future__ import annotations

import pytest

from tests.harness.layers import make_layer


@pytest.fixture
def build():
    """Make layers that are closed after the test."""
    cases = []

    def make(prototxt, **options):
        cases.append(make_layer(prototxt, [], **options))
        return cases[-1]

    yield make
    for case in cases:
        case.layer.close()
