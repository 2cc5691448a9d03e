"""Layer cases recorded from the reference program: same inputs, same outputs."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from caffe_lrcn.backends import Backend, get_backend
from caffe_lrcn.layer_types.base import TEST, TRAIN

from .case import Case, make_layer

GOLDEN = Path(__file__).parents[1] / "golden" / "layers_public.h5"
_TOLERANCE = 2e-4


def golden_prototxt(name: str) -> str:
    """Return the definition of a recorded case."""
    with h5py.File(GOLDEN) as file:
        return file[name].attrs["prototxt"]


def run_golden(name: str, backend: Backend | None = None) -> None:
    """Run case ``name`` and compare tops, parameters and, if a backward pass was run, diffs.

    Args:
        backend: CPU in float32 if None.

    Raises:
        AssertionError: some ``|got - want| > 2e-4 * (1 + |want|)``.
    """
    with h5py.File(GOLDEN) as file:
        group = file[name]
        phase = TRAIN if group.attrs["phase"] == "TRAIN" else TEST
        data = {key: _arrays(group, key) for key in
                ("bottom", "param", "param_after", "top", "top_diff", "bottom_diff", "param_diff")}
        prototxt = group.attrs["prototxt"]
    bottoms = [data["bottom"][i] for i in sorted(data["bottom"])]
    case = make_layer(prototxt, bottoms, phase=phase,
                      backend=backend or get_backend("cpu", np.float32))
    for i, value in data["param"].items():
        assert case.layer.blobs[i].shape == value.shape, f"parameter {i} has another shape"
        case.layer.blobs[i].host_data[...] = value
    case.forward()
    for i, want in data["top"].items():
        _compare(f"top {i}", case.top[i].host_data, want)
    # Without force_backward the reference's net skipped the layer (Input blobs need no gradient,
    # or no loss depends on it): its diffs were recorded as zeros, or as scratch of the forward.
    # Types without a gradient have no diffs recorded.
    if "force_backward: true" in prototxt and (data["bottom_diff"] or data["param_diff"]):
        _backward(case, data)
    for i, want in data["param_after"].items():
        _compare(f"parameter {i}", case.layer.blobs[i].host_data, want)


def _backward(case: Case, data: dict[str, dict[int, np.ndarray]]) -> None:
    case.backward([data["top_diff"].get(i) for i in range(len(case.top))],
                  [i in data["bottom_diff"] for i in range(len(case.bottom))])
    for i, want in data["bottom_diff"].items():
        _compare(f"diff of bottom {i}", case.bottom[i].host_diff, want)
    for i, want in data["param_diff"].items():
        _compare(f"diff of parameter {i}", case.layer.blobs[i].host_diff, want)


def _arrays(group: Any, key: str) -> dict[int, np.ndarray]:
    return {int(i): np.asarray(value) for i, value in group[key].items()} if key in group else {}


def _compare(what: str, got: np.ndarray, want: np.ndarray) -> None:
    assert got.shape == want.shape, f"{what}: shape {got.shape}, recorded {want.shape}"
    wrong = ~(np.abs(got - want) <= _TOLERANCE * (1 + np.abs(want)))
    assert not wrong.any(), (
        f"{what}: {wrong.sum()} of {want.size} values off, worst by "
        f"{np.abs(got - want)[wrong].max()}")
