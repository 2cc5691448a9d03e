"""Draws random nets with loss weights, layers in place, aliases, shared and frozen parameters.

They have no NumPy twin: their own losses, by central differences, say what the gradients are.
"""
from __future__ import annotations

import re

import numpy as np

Shape = tuple[int, ...]

# Type and settings of layers with one bottom, which may work in place.
POINTWISE = [
    ("ReLU", ""), ("ReLU", "relu_param { negative_slope: 0.25 }"),
    ("ReLU", "relu_param { negative_slope: -0.5 }"), ("ELU", "elu_param { alpha: 0.5 }"),
    ("Power", "power_param { power: 2 scale: 0.5 shift: 0.25 }"),
    ("Power", "power_param { scale: -1.5 shift: 0.5 }"), ("Power", "power_param { power: 3 }"),
    ("BNLL", ""), ("Clip", "clip_param { min: -0.75 max: 1 }"), ("Swish", ""), ("Sigmoid", ""),
    ("TanH", ""), ("Exp", "exp_param { scale: 0.25 }"), ("PReLU", ""), ("Scale", ""),
    ("Scale", "scale_param { bias_term: true filler { type: 'gaussian' } }"),
    ("Scale", "scale_param { axis: 0 num_axes: -1 filler { type: 'gaussian' } }"),
    ("Bias", "bias_param { axis: 0 num_axes: 1 filler { type: 'gaussian' } }"),
    ("BatchNorm", ""), ("MVN", "mvn_param { eps: 1e-9 }"), ("Softmax", ""),
    ("Dropout", "phase: TEST"), ("Log", "log_param { shift: 20 }"),
    ("LRN", "lrn_param { alpha: 2 }"),
    ("LRN", "lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 2 }"),
]
MAX_COUNT = 200


class Drawing:
    """A definition that grows by random layers.

    ``free`` holds the blobs that nobody has read and that carry no loss weight, with their shapes:
    a layer may work in place on them.
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.forced = seed % 2 == 0
        self.layers: list[str] = []
        self.blobs: dict[str, Shape] = {}
        self.free: set[str] = set()
        self.shared: dict[tuple[str, Shape], str] = {}
        shape: Shape = ((2, 4, 3, 3), (3, 4), (2, 2, 4))[self.pick(3)]
        dims = " ".join(f"dim: {size}" for size in shape)
        self.layers.append(f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ '
                           f'{dims} }} }} }}')
        self.blobs["x"] = shape
        for _ in range(3 + self.pick(8)):
            self.draw()

    @property
    def text(self) -> str:
        return f"force_backward: {str(self.forced).lower()}\n" + "\n".join(self.layers)

    def pick(self, count: int) -> int:
        return int(self.rng.integers(count))

    def maybe(self, chance: float) -> bool:
        return bool(self.rng.random() < chance)

    def draw(self) -> None:
        makers = [self.pointwise] * 5 + [
            self.rename, self.rename, self.product, self.product, self.pair, self.cut, self.reduce,
            self.loss, self.loss, self.parameter, self.recurrent, self.convolution]
        makers[self.pick(len(makers))]()

    def blob(self, axes: tuple[int, ...] = (1, 2, 3, 4)) -> str | None:
        names = [name for name, shape in self.blobs.items() if len(shape) in axes]
        return names[self.pick(len(names))] if names else None

    def add(self, kind: str, bottoms: list[str], shapes: list[Shape], more: str = "",
            in_place: bool = False, weights: bool = True) -> list[str]:
        number = len(self.layers)
        tops = [bottoms[0]] if in_place else [f"b{number}_{i}" for i in range(len(shapes))]
        for name in bottoms:
            self.free.discard(name)
        lines = "".join(f' bottom: "{name}"' for name in bottoms)
        lines += "".join(f' top: "{name}"' for name in tops)
        weighted: list[float] = []
        if weights and self.maybe(0.3):
            weighted = [float(self.rng.choice([0, 0.5, 1, 2])) for _ in tops]
            lines += "".join(f" loss_weight: {weight}" for weight in weighted)
        self.layers.append(f'layer {{ name: "l{number}" type: "{kind}"{lines} {more} }}')
        for i, (name, shape) in enumerate(zip(tops, shapes, strict=True)):
            self.blobs[name] = shape
            if not any(weighted[i:i + 1]) and (weights or weighted):
                self.free.add(name)
        return tops

    def pointwise(self) -> None:
        name = self.blob()
        kind, more = POINTWISE[self.pick(len(POINTWISE))]
        if name is None:
            return
        shape = self.blobs[name]
        if kind == "LRN" and len(shape) != 4 or kind == "MVN" and len(shape) < 3 \
                or kind in ("BatchNorm", "PReLU", "Scale", "Softmax", "LRN") and len(shape) < 2:
            return
        if kind in ("Scale", "PReLU") and self.maybe(0.5):
            key = (more, shape) if "num_axes" in more else (kind + more, shape[1:2])
            more += self.specs(kind, key, 2 if "bias_term" in more else 1)
        if kind == "MVN":
            shape = (*shape, *(1,) * (4 - len(shape)))
        self.add(kind, [name], [shape], more, in_place=name in self.free and self.maybe(0.6))

    def specs(self, kind: str, key: tuple[str, Shape], count: int) -> str:
        """Return param entries: shared ones of an earlier layer of this kind and shape, or new."""
        name = self.shared.setdefault(key, f"{kind}{len(self.shared)}")
        frozen = self.maybe(0.2)
        return "".join(f' param {{ name: "{name}_{i}"{" lr_mult: 0" if frozen else ""} }}'
                       for i in range(count))

    def rename(self) -> None:
        name = self.blob((2, 3, 4))
        if name is None:
            return
        shape = self.blobs[name]
        flat = (shape[0], int(np.prod(shape[1:])))
        kind = self.pick(4)
        if kind == 0:
            self.add("Flatten", [name], [flat])
        elif kind == 1:
            self.add("Reshape", [name], [(*flat, 1)],
                     "reshape_param { shape { dim: 0 dim: -1 dim: 1 } }")
        else:
            self.add(("Concat", "Slice")[kind - 2], [name], [shape])

    def product(self) -> None:
        name = self.blob()
        if name is None:
            return
        shape = self.blobs[name]
        inner = int(np.prod(shape[1:]))
        more = ('inner_product_param { num_output: 3 weight_filler { type: "gaussian" std: 0.5 } '
                'bias_filler { type: "gaussian" } }')
        if self.maybe(0.6):
            more += self.specs("ip", ("ip", (inner,)), 2)
        if len(shape) > 1:
            self.add("InnerProduct", [name], [(shape[0], 3)], more)

    def pair(self) -> None:
        first = self.blob()
        if first is None:
            return
        shape = self.blobs[first]
        others = [name for name, other in self.blobs.items() if other == shape]
        second = others[self.pick(len(others))]
        kind = self.pick(4)
        if kind == 0:
            self.add("Eltwise", [first, second], [shape], "eltwise_param { operation: PROD }")
        elif kind == 1:
            self.add("Eltwise", [first, second], [shape],
                     "eltwise_param { coeff: 0.5 coeff: -1 }")
        elif kind == 2:
            self.add(("Scale", "Bias")[self.pick(2)], [first, second], [shape],
                     "scale_param { axis: 0 } bias_param { axis: 0 }",
                     in_place=first in self.free and first != second and self.maybe(0.5))
        elif 2 * int(np.prod(shape)) <= MAX_COUNT and len(shape) > 1:
            self.add("Concat", [first, second], [(shape[0], 2 * shape[1], *shape[2:])])

    def cut(self) -> None:
        name = self.blob((2, 3, 4))
        if name and self.blobs[name][1] > 1:
            shape = self.blobs[name]
            point = 1 + self.pick(shape[1] - 1)
            self.add("Slice", [name], [(shape[0], point, *shape[2:]),
                                       (shape[0], shape[1] - point, *shape[2:])],
                     f"slice_param {{ slice_point: {point} }}")

    def reduce(self) -> None:
        name = self.blob()
        if name:
            axis = self.pick(len(self.blobs[name]))
            kind = ("SUM", "SUMSQ", "MEAN")[self.pick(3)]
            self.add("Reduction", [name], [self.blobs[name][:axis]],
                     f"reduction_param {{ operation: {kind} axis: {axis} }}")

    def loss(self) -> None:
        first = self.blob()
        if first is None:
            return
        shape = self.blobs[first]
        others = [name for name, other in self.blobs.items() if other == shape and name != first]
        if others:
            top, = self.add("EuclideanLoss", [first, others[self.pick(len(others))]], [()],
                            weights=self.maybe(0.5))
            if self.maybe(0.4):
                self.add("Power", [top], [()], "power_param { power: 2 }",
                         in_place=top in self.free and self.maybe(0.5))

    def parameter(self) -> None:
        more = 'param { name: "own" } ' if self.maybe(0.4) else ""
        self.add("Parameter", [], [(3, 4)],
                 more + "parameter_param { shape { dim: 3 dim: 4 } }")

    def recurrent(self) -> None:
        name = self.blob((3,))
        if name:
            shape = self.blobs[name]
            cont = f"cont{len(self.layers)}"
            self.layers.append(
                f'layer {{ name: "{cont}" type: "DummyData" top: "{cont}" dummy_data_param {{ '
                f'shape {{ dim: {shape[0]} dim: {shape[1]} }} data_filler {{ value: 1 }} }} }}')
            kind = ("LSTM", "RNN", "GRU")[self.pick(3)]
            self.add(kind, [name, cont], [(shape[0], shape[1], 2)],
                     'recurrent_param { num_output: 2 weight_filler { type: "gaussian" std: 0.5 } '
                     'bias_filler { type: "gaussian" } }')

    def convolution(self) -> None:
        name = self.blob((4,))
        if name and min(self.blobs[name][2:]) > 1:
            shape = self.blobs[name]
            out = (shape[0], 2, shape[2] - 1, shape[3] - 1)
            self.add("Convolution", [name], [out],
                     'convolution_param { num_output: 2 kernel_size: 2 weight_filler { '
                     'type: "gaussian" std: 0.5 } }')


def names_of_frozen(text: str) -> set[str]:
    """Return the parameters of which a user computes no gradient: it is not the whole one."""
    return set(re.findall(r'name: "(\w+)" lr_mult: 0', text))
