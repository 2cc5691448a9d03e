"""Third pass: from names to a graph. Checks types, counts, in-place use and double producers."""
from __future__ import annotations

import difflib
from dataclasses import dataclass

from ..errors import CaffeError, NetError, PrototxtError
from ..layer_types import TYPES, Layer, layer_class
from ..proto.forks import fork_hint
from ..proto.text import LayerDef
from .splits import unknown_bottom

AUTOMATIC = "(automatic)"


@dataclass(frozen=True)
class Vertex:
    """One layer of the graph: its class, its blobs by number, its loss weights."""

    definition: LayerDef
    cls: type[Layer]
    bottoms: tuple[int, ...]
    tops: tuple[int, ...]
    loss_weights: tuple[float, ...]


@dataclass(frozen=True)
class Graph:
    """Vertices in execution order; ``blob_names[i]`` names blob ``i``."""

    vertices: tuple[Vertex, ...]
    blob_names: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def connect(layers: list[LayerDef]) -> Graph:
    """Return the graph of split-inserted ``layers``.

    Raises:
        PrototxtError: unknown type, or loss weights that do not match the tops.
        NetError: unknown bottom, wrong number of blobs, a blob with two producers.
    """
    names: list[str] = []
    ids: dict[str, int] = {}
    unconsumed: set[str] = set()
    inputs: list[str] = []
    vertices: list[Vertex] = []
    for layer in layers:
        cls = _class_of(layer)
        _check_counts(layer, cls)
        bottoms = []
        for position, blob in enumerate(layer.param.bottom):
            if blob not in unconsumed:
                raise unknown_bottom(layer, position, sorted(unconsumed))
            unconsumed.discard(blob)
            bottoms.append(ids[blob])
        tops = []
        for position, blob in enumerate(_top_names(layer, cls)):
            if not _is_in_place(layer, cls, position):
                if blob in ids and blob != AUTOMATIC:
                    raise _produced_twice(layer, position)
                ids[blob] = len(names)
                names.append(blob)
            if blob != AUTOMATIC:
                unconsumed.add(blob)
            tops.append(ids[blob])
        if layer.param.type == "Input":
            inputs += layer.param.top
        vertices.append(Vertex(layer, cls, tuple(bottoms), tuple(tops),
                               _loss_weights(layer, cls, len(tops))))
    # CAFFE-QUIRK: outputs are listed alphabetically, not in the order of the definition.
    return Graph(tuple(vertices), tuple(names), tuple(inputs), tuple(sorted(unconsumed)))


def _class_of(layer: LayerDef) -> type[Layer]:
    name = layer.param.type
    try:
        return layer_class(name)
    except KeyError:
        pass
    if not name:
        raise PrototxtError("the layer has no type", where=layer.place.at("type"),
                            layer=layer.param.name, remedy='Add one, such as type: "InnerProduct"')
    close = difflib.get_close_matches(name, TYPES, 1)
    remedy = (fork_hint(name) or (f"Did you mean '{close[0]}'?" if close else
              "Known types: " + ", ".join(sorted(TYPES))))
    raise PrototxtError(f"unknown layer type '{name}'", where=layer.place.at("type"),
                        layer=layer.param.name, remedy=remedy)


def _check_counts(layer: LayerDef, cls: type[Layer]) -> None:
    for kind, wanted, got in (("bottom", cls.bottoms, len(layer.param.bottom)),
                              ("top", cls.tops, len(_top_names(layer, cls)))):
        if got not in wanted:
            raise NetError(f"{layer.param.type} has the wrong number of {kind}s",
                           where=layer.place.at(kind, max(got - 1, 0)), layer=layer.param.name,
                           got=got, wanted=wanted)
    if cls.same_count and len(layer.param.bottom) != len(layer.param.top):
        raise NetError(f"{layer.param.type} makes one top a bottom", where=layer.place.at(),
                       layer=layer.param.name, wanted=f"{len(layer.param.bottom)} tops",
                       got=len(layer.param.top))


def _top_names(layer: LayerDef, cls: type[Layer]) -> list[str]:
    names = list(layer.param.top)
    return names if names or not cls.is_loss else [AUTOMATIC]


def _is_in_place(layer: LayerDef, cls: type[Layer], position: int) -> bool:
    param = layer.param
    if (position >= min(len(param.top), len(param.bottom))
            or param.top[position] != param.bottom[position]):
        return False
    if not cls.allows_in_place:
        raise NetError(f"{param.type} cannot work in place",
                       where=layer.place.at("top", position), layer=param.name,
                       remedy=f"Give the top another name than '{param.top[position]}'.")
    return True


def _produced_twice(layer: LayerDef, position: int) -> CaffeError:
    blob = layer.param.top[position]
    return NetError(
        f"top blob '{blob}' is produced by several layers", where=layer.place.at("top", position),
        layer=layer.param.name,
        remedy="Rename the top. If the layer was meant to work in place: another layer reads the "
               "blob before it, so it needs a top of its own.")


def _loss_weights(layer: LayerDef, cls: type[Layer], tops: int) -> tuple[float, ...]:
    weights = tuple(layer.param.loss_weight)
    if not weights and not cls.is_loss:
        return (0.0,) * tops
    if not weights and tops == 1:
        return (1.0,)
    if len(weights) != tops:
        raise PrototxtError("loss_weight must be given once a top" + (
                                "" if cls.is_loss else ", or not at all"),
                            where=layer.place.at("loss_weight", 0), layer=layer.param.name,
                            got=f"{len(weights)} weights", wanted=f"{tops}")
    return weights
