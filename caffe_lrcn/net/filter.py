"""First pass: keep the layers whose include and exclude rules match the net's state.

Source: Caffe's net filtering by NetStateRule.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import cast

from .. import glog
from ..errors import PrototxtError, UsageError
from ..hints import did_you_mean, nearest
from ..proto import caffe_pb2
from ..proto.text import LayerDef
from .collect import OnError, fail


def make_state(phase: int, level: int = 0, stages: Iterable[str] = (),
               base: caffe_pb2.NetState | None = None) -> caffe_pb2.NetState:
    """Return ``base`` with the phase and level replaced and ``stages`` appended.

    Args:
        phase: ``TRAIN`` (0) or ``TEST`` (1).
        level: compared with ``min_level`` and ``max_level`` of rules.
        stages: names that rules ask for by ``stage`` and ``not_stage``.
        base: the state written in the net's own definition.
    """
    state = caffe_pb2.NetState()
    if base is not None:
        state.CopyFrom(base)
    state.phase = cast("caffe_pb2.Phase", phase)
    state.level = level or state.level
    state.stage.extend(stages)
    return state


def rule_mismatch(state: caffe_pb2.NetState, rule: caffe_pb2.NetStateRule) -> str | None:
    """Return why ``rule`` does not hold in ``state``, or None where it does."""
    if rule.HasField("phase") and rule.phase != state.phase:
        names = ("TRAIN", "TEST")
        return f"phase is {names[state.phase]}, the rule asks for {names[rule.phase]}"
    if rule.HasField("min_level") and state.level < rule.min_level:
        return f"level {state.level} is below min_level {rule.min_level}"
    if rule.HasField("max_level") and state.level > rule.max_level:
        return f"level {state.level} is above max_level {rule.max_level}"
    present = set(state.stage)
    missing = [stage for stage in rule.stage if stage not in present]
    if missing:
        return f"stage '{missing[0]}' is not set"
    barred = [stage for stage in rule.not_stage if stage in present]
    return f"stage '{barred[0]}' is set" if barred else None


def filter_layers(layers: list[LayerDef], state: caffe_pb2.NetState,
                  on_error: OnError = fail) -> list[LayerDef]:
    """Return the layers that belong to the net in ``state``.

    ``on_error`` gets a PrototxtError for each layer that has include rules and exclude rules; if
    it returns, the layer is left out.
    """
    kept = []
    for layer in layers:
        if layer.param.include and layer.param.exclude:
            on_error(PrototxtError("include rules and exclude rules exclude each other",
                                   where=layer.place.at("exclude", 0), layer=layer.param.name,
                                   remedy="Keep one kind; not_stage says 'unless'."))
        elif _belongs(layer, state):
            kept.append(layer)
    return kept


def why_unknown(blob: str, layers: Iterable[LayerDef], kept: Collection[int],
                state: caffe_pb2.NetState) -> str:
    """Return which layers make a blob that a net lacks, and why they do not do so in this state.

    Args:
        layers: all of the definition.
        kept: ``id`` of each that is in the net.
    """
    reasons = [_why_absent(layer, id(layer) in kept, state) for layer in layers
               if blob in layer.param.top]
    return f"It is made by {', or by '.join(reasons[:3])}" if reasons else ""


def _why_absent(layer: LayerDef, is_here: bool, state: caffe_pb2.NetState) -> str:
    line = layer.place.at().removeprefix(layer.place.file)
    name = f"layer '{layer.param.name}' ({line[1:]})" if line else f"'{layer.param.name}'"
    if is_here:
        return f"{name}, which comes later: move it up"
    why = [rule_mismatch(state, rule) for rule in layer.param.include]
    return f"{name}, left out here: {why[0] if why else 'an exclude rule holds'}"


def named_stages(layers: Iterable[LayerDef]) -> list[str]:
    """Return the stages that the layers' rules name, sorted."""
    return sorted({stage for layer in layers
                   for rule in (*layer.param.include, *layer.param.exclude)
                   for stage in (*rule.stage, *rule.not_stage)})


def warn_of_unknown_stages(layers: Iterable[LayerDef], state: caffe_pb2.NetState) -> None:
    """Log a warning for each stage of ``state`` that no rule names: it may be misspelt."""
    named = named_stages(layers)
    for stage in state.stage:
        if stage not in named:
            glog.warning("stage '%s' is set, but no rule of the net names it (named are: %s)",
                         stage, ", ".join(named) or "none")


def check_stages(layers: Iterable[LayerDef], stages: Iterable[str], where: object) -> None:
    """See that some rule of the net names each of these stages.

    Args:
        layers: of the net, whatever their rules.
        stages: that are asked for.
        where: the definition.

    Raises:
        UsageError: none does; without its stage the net would be another variant.
    """
    named = named_stages(layers)
    for stage in stages:
        if stage not in named:
            raise UsageError(f"no rule of the net names the stage '{stage}'", where=where,
                             wanted=", ".join(named) or "no stage: the net has no variants",
                             remedy=did_you_mean(nearest(stage, named)))


def _belongs(layer: LayerDef, state: caffe_pb2.NetState) -> bool:
    include, exclude = layer.param.include, layer.param.exclude
    if include:
        return any(_holds(layer, rule, state) for rule in include)
    return not any(_holds(layer, rule, state) for rule in exclude)


def _holds(layer: LayerDef, rule: caffe_pb2.NetStateRule, state: caffe_pb2.NetState) -> bool:
    mismatch = rule_mismatch(state, rule)
    if mismatch:
        glog.info("A rule of layer '%s' does not hold: %s", layer.param.name, mismatch)
    return mismatch is None
