"""Fixtures shared by all tests."""
from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pytest

from caffe_lrcn.backends import Backend, get_backend
from tests.harness.compiler import HAS_COMPILER, WITHOUT_ONE


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Log lines reach ``caplog``, whatever a command that ran before set up."""
    logger = logging.getLogger("caffe_lrcn")
    before, logger.propagate = list(logger.handlers), True
    logger.setLevel(logging.NOTSET)  # a fixture of a whole module may have run a command
    yield
    logger.setLevel(logging.NOTSET)
    for handler in logger.handlers[:]:
        if handler not in before:
            logger.removeHandler(handler)
            handler.close()
    logger.propagate = True


@pytest.fixture
def backend() -> Backend:
    """The CPU backend in float32."""
    return get_backend("cpu", np.float32)


@pytest.fixture(params=["cpu", "cuda-host"])
def any_backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend that runs without a GPU, in float32."""
    return _open(request.param, np.float32)


@pytest.fixture(params=["cpu", "cuda-host"])
def any_backend64(request: pytest.FixtureRequest) -> Backend:
    """Each backend that runs without a GPU, in float64."""
    return _open(request.param, np.float64)


def _open(name: str, dtype: type) -> Backend:
    if name == "cuda-host" and not HAS_COMPILER:
        pytest.skip(WITHOUT_ONE)
    return get_backend(name, dtype)
