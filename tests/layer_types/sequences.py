"""What the tests of recurrent layers share: definitions, arrays, and checks that hold for all."""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.harness.layers import Case, make_layer
from tests.layer_types.unrolled import run_unrolled

T, N, K, S, D = 4, 3, 5, 2, 4
FILLERS = ("weight_filler { type: 'uniform' min: -0.7 max: 0.7 } "
           "bias_filler { type: 'uniform' min: -0.7 max: 0.7 }")


def recurrent(kind: str, bottoms: Sequence[str] = ("x", "cont"), tops: Sequence[str] = ("h",),
              extra: str = "", layer: str = "") -> str:
    """Return the definition of a layer of D units, named like its type in lower case."""
    ends = "".join(f'bottom: "{name}" ' for name in bottoms)
    ends += "".join(f'top: "{name}" ' for name in tops)
    return (f'layer {{ name: "{kind.lower()}" type: "{kind}" {ends} {layer} '
            f'recurrent_param {{ num_output: {D} {FILLERS} {extra} }} }}')


def sequences() -> dict[str, np.ndarray]:
    """Return values for all bottoms, and a gradient of the top; ``cont`` has fractions."""
    rng = np.random.default_rng(3)
    cont = rng.choice([0, 0.4, 1], size=(T, N))
    cont[0] = [0.6, 1, 0]
    return {"x": rng.normal(size=(T, N, K)), "cont": cont, "s": rng.normal(size=(N, S)),
            "h_0": rng.normal(size=(1, N, D)), "c_0": rng.normal(size=(1, N, D)),
            "dh": rng.normal(size=(T, N, D))}


def carry_something(case: Case) -> None:
    """Start from a carried state that is not zero, so that the terms of step 1 matter."""
    rng = np.random.default_rng(8)
    case.layer.restore({name: rng.normal(size=(N, D)) for name in case.layer.state_names})


def without_static_weights(layer) -> None:
    """Break the gradient of the static input's weights."""
    true = layer.accumulate
    layer.accumulate = lambda index, *rest: None if index == 2 else true(index, *rest)


def check_unrolled(kind: str, unrolled: Callable[..., str], last_params: list[str], top: str,
                   with_static: bool) -> None:
    """Check values and gradients against the unrolled net, from given states on."""
    data, bottoms = sequences(), ["x", "cont"] + ["s"] * with_static
    case = make_layer(recurrent(kind, bottoms), [data[name] for name in bottoms])
    states = {name: data[f"{name}_0"] for name in case.layer.state_names}
    case.layer.restore({name: state[0] for name, state in states.items()})
    case.forward()
    case.backward([data["dh"]], [name != "cont" for name in bottoms])
    names = ["W_x", "b"] + ["W_s"] * with_static + last_params
    params = {name: blob.host_data for name, blob in zip(names, case.layer.blobs, strict=True)}

    values, gradients = run_unrolled(
        unrolled(data["x"], data["s"] if with_static else None, D),
        {name: data[name] for name in bottoms} | {f"{name}_0": state for name, state
                                                  in states.items()}, params, top, data["dh"])
    close = {"rtol": 0, "atol": 1e-10}
    np.testing.assert_allclose(case.top[0].host_data, values, **close)
    for name, blob in zip(names + bottoms, case.layer.blobs + case.bottom, strict=True):
        if name != "cont":
            np.testing.assert_allclose(blob.host_diff, gradients[name], **close, err_msg=name)


def check_one_step_at_a_time(kind: str) -> None:
    """Check that T passes of one step give what one pass of T steps gives."""
    data, text = sequences(), recurrent(kind, ("x", "cont", "s"))
    whole = make_layer(text, [data["x"], data["cont"], data["s"]])
    whole.forward()
    single = make_layer(text, [data["x"][:1], data["cont"][:1], data["s"]])
    for t in range(T):
        single.bottom[0].host_data[...] = data["x"][t]
        single.bottom[1].host_data[...] = data["cont"][t]
        single.forward()
        np.testing.assert_allclose(single.top[0].host_data[0], whole.top[0].host_data[t],
                                   rtol=1e-12)
