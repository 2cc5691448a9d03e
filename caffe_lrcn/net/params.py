"""Fifth pass: which parameters are one, and how fast each learns.

Source: Caffe's parameter sharing by ParamSpec name.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import NetError, ShapeError
from ..proto import caffe_pb2
from ..proto.text import LayerDef

_PERMISSIVE = 1


@dataclass
class Learnable:
    """A parameter that the solver updates: its owner and its multipliers."""

    layer: int
    index: int
    name: str
    lr_mult: float | None = None
    decay_mult: float | None = None

    @property
    def lr(self) -> float:
        """Learning rate multiplier, 1 where nobody says otherwise."""
        return 1.0 if self.lr_mult is None else self.lr_mult

    @property
    def decay(self) -> float:
        """Weight decay multiplier, 1 where nobody says otherwise."""
        return 1.0 if self.decay_mult is None else self.decay_mult


@dataclass
class ParamPlan:
    """``owner[layer][index]`` is the position in ``learnable`` of each parameter."""

    owner: list[list[int]] = field(default_factory=list)
    learnable: list[Learnable] = field(default_factory=list)


def plan_params(layers: Sequence[LayerDef],
                shapes: Sequence[Sequence[tuple[int, ...]]]) -> ParamPlan:
    """Return owners and multipliers.

    Args:
        layers: definitions in execution order.
        shapes: for each layer the shapes of its parameters.

    Raises:
        NetError: more specs than parameters, or sharers that disagree about a multiplier.
        ShapeError: sharers whose shapes (PERMISSIVE: counts) differ.
    """
    plan = ParamPlan()
    named: dict[str, int] = {}
    for number, (layer, layer_shapes) in enumerate(zip(layers, shapes, strict=True)):
        if len(layer.param.param) > len(layer_shapes):
            raise NetError("more param entries than parameters", layer=layer.param.name,
                           where=layer.place.at("param", len(layer_shapes)),
                           got=len(layer.param.param), wanted=f"at most {len(layer_shapes)}")
        row = []
        for index, shape in enumerate(layer_shapes):
            spec = _spec(layer, index)
            if spec.name in named:
                position = named[spec.name]
                owner = plan.learnable[position]
                _check_shapes(layer, index, spec, shape, layers, shapes, owner)
                _merge_multipliers(layer, index, spec, owner)
            else:
                position = len(plan.learnable)
                plan.learnable.append(Learnable(number, index, spec.name or str(index)))
                _merge_multipliers(layer, index, spec, plan.learnable[-1])
                if spec.name:
                    named[spec.name] = position
            row.append(position)
        plan.owner.append(row)
    return plan


def own_rates(layers: Sequence[LayerDef], counts: Sequence[int]) -> list[list[float]]:
    """Return for each layer the learning rate multipliers that its own definition gives.

    They say who computes a gradient: a sharer that gives no multiplier computes its part, though
    the parameter they share may have the multiplier 0.

    Args:
        layers: definitions in execution order.
        counts: for each layer the number of its parameters.
    """
    return [[_spec(layer, index).lr_mult for index in range(count)]
            for layer, count in zip(layers, counts, strict=True)]


def _spec(layer: LayerDef, index: int) -> caffe_pb2.ParamSpec:
    specs = layer.param.param
    return specs[index] if index < len(specs) else caffe_pb2.ParamSpec()


def _check_shapes(layer: LayerDef, index: int, spec: caffe_pb2.ParamSpec, shape: tuple[int, ...],
                  layers: Sequence[LayerDef], shapes: Sequence[Sequence[tuple[int, ...]]],
                  owner: Learnable) -> None:
    wanted = shapes[owner.layer][owner.index]
    same = (math.prod(shape) == math.prod(wanted) if spec.share_mode == _PERMISSIVE
            else shape == wanted)
    if not same:
        what = "number of elements" if spec.share_mode == _PERMISSIVE else "shape"
        raise ShapeError(
            f"parameter '{spec.name}' is shared with layer '{layers[owner.layer].param.name}', "
            f"whose {what} differs", where=layer.place.at("param", index), layer=layer.param.name,
            got=shape, wanted=wanted,
            remedy="Rename the parameter, or use share_mode: PERMISSIVE where only the count "
                   "agrees.")


def _merge_multipliers(layer: LayerDef, index: int, spec: caffe_pb2.ParamSpec,
                       owner: Learnable) -> None:
    for name in ("lr_mult", "decay_mult"):
        if not spec.HasField(name):
            continue
        value, known = getattr(spec, name), getattr(owner, name)
        if known is not None and known != value:
            raise NetError(f"shared parameter '{spec.name}' has two values of {name}",
                           where=layer.place.at("param", index, name), layer=layer.param.name,
                           got=value, wanted=known)
        setattr(owner, name, value)
