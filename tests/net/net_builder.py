"""Draws random nets, each layer with the same thing in plain NumPy."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net

from . import plain_layers as plain
from .net_plan import Plan, Shape

Draw = Callable[[st.SearchStrategy], Any]
STREAMS = 3

# Numbers that prototxt holds as float32 are sums of powers of 2, so that both sides see the same.
# Each maker draws its settings and returns type, compute and prototxt for the bottom's shape.
Made = tuple[str, Callable[..., Any], str]


def _pointwise(draw: Draw, shape: Shape) -> Made:
    slope, power = draw(st.sampled_from([0.0, 0.25])), draw(st.sampled_from([1, 2, 3]))
    return draw(st.sampled_from([
        ("ReLU", lambda x: np.where(x > 0, x, slope * x),
         f"relu_param {{ negative_slope: {slope} }}"),
        ("Sigmoid", plain.sigmoid, ""),
        ("TanH", np.tanh, ""),
        ("AbsVal", np.abs, ""),
        ("ELU", lambda x: np.where(x > 0, x, 0.5 * np.expm1(np.minimum(x, 0))),
         "elu_param { alpha: 0.5 }"),
        ("BNLL", lambda x: np.logaddexp(0, x), ""),
        ("Swish", lambda x: x * plain.sigmoid(0.75 * x), "swish_param { beta: 0.75 }"),
        ("Power", lambda x: (0.25 + 0.5 * x) ** power,
         f"power_param {{ power: {power} scale: 0.5 shift: 0.25 }}"),
        ("Clip", lambda x: np.clip(x, -0.625, 0.875), "clip_param { min: -0.625 max: 0.875 }"),
    ]))


def _convolution(draw: Draw, shape: Shape) -> Made:
    kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    dilation = draw(st.integers(1, 2)) if (kernel - 1) * 2 < min(shape[2:]) else 1
    pad = draw(st.integers(0, 1))
    if dilation * (kernel - 1) + 1 > min(shape[2:]) + 2 * pad:
        kernel = dilation = 1
    group = draw(st.sampled_from([1, 2])) if shape[1] % 2 == 0 else 1
    return "Convolution", lambda x, w, b: plain.convolution(
        x, w, b, stride=stride, pad=pad, dilation=dilation, group=group), (
        f"convolution_param {{ num_output: {2 * group} kernel_size: {kernel} stride: {stride} "
        f"pad: {pad} dilation: {dilation} group: {group} }}")


def _deconvolution(draw: Draw, shape: Shape) -> Made:
    kernel, stride, pad = draw(st.integers(2, 3)), draw(st.integers(1, 2)), 0
    pad = draw(st.integers(0, 1)) if min(shape[2:]) > 1 else 0
    return "Deconvolution", lambda x, w, b: plain.deconvolution(
        x, w, b, stride=stride, pad=pad), (
        f"convolution_param {{ num_output: 2 kernel_size: {kernel} stride: {stride} "
        f"pad: {pad} }}")


def _pooling(draw: Draw, shape: Shape) -> Made:
    kernel = draw(st.integers(1, min(3, *shape[2:])))
    stride, pad = draw(st.integers(1, kernel)), draw(st.integers(0, 1)) if kernel > 1 else 0
    method = draw(st.sampled_from(["MAX", "AVE"]))
    return "Pooling", lambda x: plain.pooling(
        x, kernel=kernel, stride=stride, pad=pad, method=method), (
        f"pooling_param {{ pool: {method} kernel_size: {kernel} stride: {stride} pad: {pad} }}")


def _lrn(draw: Draw, shape: Shape) -> Made:
    within = draw(st.booleans())
    region = "WITHIN_CHANNEL" if within else "ACROSS_CHANNELS"
    return "LRN", lambda x: plain.lrn(
        x, size=3, alpha=0.75, beta=0.75, k=1.5, within=within), (
        f"lrn_param {{ local_size: 3 alpha: 0.75 beta: 0.75 k: 1.5 norm_region: {region} }}")


def _inner_product(draw: Draw, shape: Shape) -> Made:
    axis, transpose = draw(st.integers(1, len(shape) - 1)), draw(st.booleans())
    return "InnerProduct", lambda x, w, b: plain.inner_product(
        x, w, b, axis=axis, transpose=transpose), (
        f"inner_product_param {{ num_output: 3 axis: {axis} transpose: {str(transpose).lower()} }}")


def _per_channel(draw: Draw, shape: Shape) -> Made:
    ndim = len(shape)
    return draw(st.sampled_from([
        ("Scale", lambda x, s, b: x * plain.along_channels(s, ndim)
         + plain.along_channels(b, ndim), "scale_param { bias_term: true }"),
        ("Bias", lambda x, b: x + plain.along_channels(b, ndim), ""),
        ("PReLU", lambda x, a: np.maximum(x, 0)
         + plain.along_channels(a, ndim) * np.minimum(x, 0), ""),
        ("Softmax", lambda x: plain.softmax(x, 1), ""),
        ("BatchNorm", lambda x, *_: plain.batch_norm(x, eps=0.125),
         "batch_norm_param { eps: 0.125 }"),
    ]))


def _mvn(draw: Draw, shape: Shape) -> Made:
    # With the default eps: Caffe's gradient, and so ours, is right for small ones only.
    return "MVN", lambda x: plain.mvn(x, eps=1e-9), ""


def _shape_only(draw: Draw, shape: Shape) -> Made:
    return draw(st.sampled_from([
        ("Flatten", lambda x: x.reshape(len(x), -1), ""),
        ("Reshape", lambda x: x.reshape(*x.shape[:1], x.shape[-1], -1),
         f"reshape_param {{ shape {{ dim: 0 dim: {shape[-1]} dim: -1 }} }}"),
        ("Tile", lambda x: np.concatenate([x, x], axis=1), "tile_param { axis: 1 tiles: 2 }"),
        ("Reduction", lambda x: 0.5 * (x * x).sum(axis=tuple(range(1, x.ndim))),
         "reduction_param { axis: 1 operation: SUMSQ coeff: 0.5 }"),
    ]))


def _slice(plan: Plan, draw: Draw, x: str) -> None:
    point = draw(st.integers(1, plan.shapes[x][1] - 1))
    plan.add("Slice", [x], lambda a: (a[:, :point], a[:, point:]),
             f"slice_param {{ slice_point: {point} }}", tops=2)


def _concat(plan: Plan, draw: Draw, x: str) -> None:
    def rest(shape: Shape) -> Shape:
        return shape[:1] + shape[2:]
    fits = [blob for blob, shape in plan.shapes.items()
            if len(shape) == len(plan.shapes[x]) and rest(shape) == rest(plan.shapes[x])]
    bottoms = [x, *draw(st.lists(st.sampled_from(fits), max_size=2))]
    plan.add("Concat", bottoms, lambda *xs: np.concatenate(xs, axis=1))


def _eltwise(plan: Plan, draw: Draw, x: str) -> None:
    fits = [blob for blob, shape in plan.shapes.items() if shape == plan.shapes[x]]
    bottoms = [x, *draw(st.lists(st.sampled_from(fits), min_size=1, max_size=2))]
    coeff = [0.5, -1.5, 2.0][:len(bottoms)]
    operation, compute = draw(st.sampled_from([
        ("PROD", lambda *xs: np.prod(xs, axis=0)),
        ("MAX", lambda *xs: np.max(xs, axis=0)),
        ("SUM " + " ".join(f"coeff: {c}" for c in coeff),
         lambda *xs: sum(c * a for c, a in zip(coeff, xs, strict=True)))]))
    plan.add("Eltwise", bottoms, compute, f"eltwise_param {{ operation: {operation} }}")


def _two(plan: Plan, draw: Draw, x: str) -> None:
    fits = [blob for blob, shape in plan.shapes.items() if shape == plan.shapes[x]]
    other = draw(st.sampled_from(fits))
    kind, compute = draw(st.sampled_from([
        ("Scale", lambda a, b: a * b),
        ("Bias", lambda a, b: a + b),
        ("EuclideanLoss", lambda a, b: np.square(a - b).sum() / (2 * len(a)))]))
    param = {"Scale": "scale_param { axis: 0 }", "Bias": "bias_param { axis: 0 }"}.get(kind, "")
    plan.add(kind, [x, other], compute, param)


def _recurrent(plan: Plan, draw: Draw, x: str) -> None:
    kind, compute = draw(st.sampled_from([("LSTM", plain.lstm), ("RNN", plain.rnn)]))
    steps, streams = plan.shapes[x][:2]
    cont = f"cont{len(plan.steps)}"
    marks = draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=steps * streams,
                          max_size=steps * streams))
    plan.add_input(cont, np.array(marks).reshape(steps, streams))
    plan.add(kind, [x, cont], compute, "recurrent_param { num_output: 2 }")


# MVN stands last: of very few pixels the deviation may be 0, where it has no gradient.
_PICTURE_MAKERS = (_convolution, _deconvolution, _pooling, _lrn, _mvn)
_MAKERS = (_pointwise, _pointwise, _inner_product, _per_channel, _shape_only)
_SEVERAL = (_concat, _eltwise, _two)
_AFTER = ("Convolution", "InnerProduct", "LSTM")  # may be overwritten: they do not need their top


def options(shape: Shape) -> list[Callable]:
    """Return what may follow a blob of this shape."""
    found: list[Callable] = [*_SEVERAL] if len(shape) > 1 else []
    if len(shape) > 1:
        found += _MAKERS
    if len(shape) > 1 and shape[1] > 1:
        found.append(_slice)
    if len(shape) >= 3 and shape[0] * shape[1] <= 12:
        found.append(_recurrent)
    if len(shape) == 4 and max(shape[2:]) <= 8:
        found += _PICTURE_MAKERS if shape[2] * shape[3] > 2 else _PICTURE_MAKERS[:-1]
    return found


@st.composite
def plans(draw: Draw) -> Plan:
    """Draw a net of one to seven layers on a picture and a word sequence."""
    plan = Plan()
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    picture = (2, draw(st.integers(1, 4)), draw(st.integers(2, 5)), draw(st.integers(2, 5)))
    plan.add_input("picture", rng.normal(size=picture))
    if draw(st.booleans()):
        plan.add_input("words", rng.integers(0, 4, (4, STREAMS)).astype(float))
        plan.add("Embed", ["words"], lambda x, w, b: w[x.astype(int)] + b,
                 "embed_param { input_dim: 4 num_output: 3 }")
    for _ in range(draw(st.integers(1, 7))):
        plan.shapes = _shapes(plan)
        usable = [blob for blob, shape in plan.shapes.items()
                  if not blob.startswith(("cont", "words")) and options(shape)
                  and np.prod(shape) <= 400]
        plan.shapes = {blob: plan.shapes[blob] for blob in usable}
        _append(plan, draw, draw(st.sampled_from(usable)))
    return plan


def _append(plan: Plan, draw: Draw, x: str) -> None:
    shape = plan.shapes[x]
    choice = draw(st.sampled_from(options(shape)))
    if choice in (*_SEVERAL, _slice, _recurrent):
        choice(plan, draw, x)
        return
    kind, compute, param = choice(draw, shape)
    maker = next((step.name for step in plan.steps if x in step.tops), "")
    free = (choice is _pointwise and kind != "AbsVal" and x not in plan.consumed
            and maker.startswith(tuple(name.lower() for name in _AFTER)))
    plan.add(kind, [x], compute, param, in_place=free and draw(st.booleans()))


def _shapes(plan: Plan) -> dict[str, Shape]:
    """Ask the engine for the shapes so far; the test compares them with those of NumPy."""
    net = Net(parse_net(plan.text), get_backend("cpu", np.float64), phase=0)
    return {blob: net.blobs[blob].shape for blob in dict.fromkeys(
        [*plan.inputs, *(top for step in plan.steps for top in step.tops)])}
