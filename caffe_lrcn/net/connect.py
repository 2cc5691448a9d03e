"""Third pass: from names to a graph. Checks types, counts, in-place use and double producers."""
from __future__ import annotations

from dataclasses import dataclass

from ..errors import CaffeError, NetError, PrototxtError
from ..hints import misspelt
from ..layer_types import TYPES, Layer, layer_class
from ..proto.forks import type_hint
from ..proto.text import LayerDef
from .collect import OnError, fail
from .splits import COMPARED_NAMES, unknown_bottom

AUTOMATIC = "(automatic)"


@dataclass(frozen=True)
class Vertex:
    """One layer of the graph: its class, its blobs by number, its loss weights.

    ``sound`` is false if the layer has an error; its class is then ``Layer``, which can do nothing.
    """

    definition: LayerDef
    cls: type[Layer]
    bottoms: tuple[int, ...]
    tops: tuple[int, ...]
    loss_weights: tuple[float, ...]
    sound: bool = True


@dataclass(frozen=True)
class Graph:
    """Vertices in execution order; ``blob_names[i]`` names blob ``i``."""

    vertices: tuple[Vertex, ...]
    blob_names: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def connect(layers: list[LayerDef], on_error: OnError = fail) -> Graph:
    """Return the graph of split-inserted ``layers``.

    ``on_error`` gets every error; if it returns, the layer is kept as one that is not sound:

    - PrototxtError: unknown type, or loss weights that do not match the tops.
    - NetError: unknown bottom, wrong number of blobs, a blob with two producers.
    """
    wiring = _Wiring(on_error)
    vertices = tuple(map(wiring.add, layers))
    inputs = [top for layer in layers if layer.param.type == "Input" for top in layer.param.top]
    # CAFFE-QUIRK: outputs are listed alphabetically, not in the order of the definition.
    return Graph(vertices, tuple(wiring.names), tuple(inputs), tuple(sorted(wiring.unconsumed)))


class _Wiring:
    """Numbers blobs, layer by layer."""

    def __init__(self, on_error: OnError) -> None:
        self.names: list[str] = []
        self.unconsumed: set[str] = set()
        self._ids: dict[str, int] = {}
        self._unknown = 0
        self._makers: dict[str, LayerDef] = {}
        self._on_error = on_error
        # Of the layer that is being added: whether it has an error, and one that others may follow
        # from, so that they are not looked for.
        self._sound, self._checked = True, True

    def add(self, layer: LayerDef) -> Vertex:
        """Return the vertex of the next layer."""
        self._sound = self._checked = True
        cls = Layer
        try:
            cls = _class_of(layer)
            _check_counts(layer, cls)
        except CaffeError as error:
            self._blame(error)
        bottoms = [self._bottom(layer, position) for position in range(len(layer.param.bottom))]
        tops = [self._top(layer, cls, position, blob, bottoms)
                for position, blob in enumerate(_top_names(layer, cls))]
        weights: tuple[float, ...] = (0.0,) * len(tops)
        try:
            weights = _loss_weights(layer, cls, len(tops)) if self._checked else weights
        except CaffeError as error:
            self._blame(error)
        return Vertex(layer, cls if self._sound else Layer, tuple(bottoms), tuple(tops), weights,
                      self._sound)

    def _blame(self, error: CaffeError) -> None:
        self._on_error(error)
        self._sound = self._checked = False

    def _new(self, blob: str) -> int:
        self.names.append(blob)
        return len(self.names) - 1

    def _bottom(self, layer: LayerDef, position: int) -> int:
        blob = layer.param.bottom[position]
        if blob not in self.unconsumed:
            known = [] if self._unknown > COMPARED_NAMES else [
                name for name in reversed(self._ids) if name in self.unconsumed]
            self._unknown += 1
            self._on_error(unknown_bottom(layer, position, known))
            self._sound = False
            return self._new(blob)
        self.unconsumed.discard(blob)
        return self._ids[blob]

    def _top(self, layer: LayerDef, cls: type[Layer], position: int, blob: str,
             bottoms: list[int]) -> int:
        in_place = _has_bottom_s_name(layer, position)
        if self._checked and in_place and not cls.allows_in_place:
            self._blame(_cannot_be_in_place(layer, position))
        elif self._checked and not in_place and blob in self._ids and blob != AUTOMATIC:
            self._blame(_produced_twice(layer, position, self._makers[blob]))
        number = bottoms[position] if in_place else self._new(blob)
        self._ids[blob] = number
        self._makers[blob] = layer
        if blob != AUTOMATIC:
            self.unconsumed.add(blob)
        return number


def _class_of(layer: LayerDef) -> type[Layer]:
    name = layer.param.type
    try:
        return layer_class(name)
    except KeyError:
        pass
    if not name:
        raise PrototxtError("the layer has no type", where=layer.place.at("type"),
                            layer=layer.param.name, remedy='Add one, such as type: "InnerProduct"')
    close = misspelt(name, TYPES)
    remedy = (type_hint(name) or (f"Did you mean '{close[0]}'?" if close else
              "It is misspelt, or it belongs to a fork of Caffe. Known types: "
              + ", ".join(sorted(TYPES))))
    raise PrototxtError(f"unknown layer type '{name}'", where=layer.place.at("type"),
                        layer=layer.param.name, remedy=remedy)


def _check_counts(layer: LayerDef, cls: type[Layer]) -> None:
    for kind, wanted, got in (("bottom", cls.bottoms, len(layer.param.bottom)),
                              ("top", cls.tops, len(_top_names(layer, cls)))):
        if got not in wanted:
            raise NetError(f"{layer.param.type} has the wrong number of {kind}s",
                           where=layer.place.at(kind, max(got - 1, 0)), layer=layer.param.name,
                           got=got, wanted=wanted, remedy=_count_remedy(kind, cls, got))
    if cls.same_count and len(layer.param.bottom) != len(layer.param.top):
        raise NetError(f"{layer.param.type} makes one top per bottom", where=layer.place.at(),
                       layer=layer.param.name, wanted=f"{len(layer.param.bottom)} tops",
                       got=len(layer.param.top))


def _count_remedy(kind: str, cls: type[Layer], got: int) -> str | None:
    if kind == "bottom" and cls.bottoms_are:
        return f"They are: {cls.bottoms_are}"
    return None if got else f'Name one: {kind}: "…"'


def _top_names(layer: LayerDef, cls: type[Layer]) -> list[str]:
    names = list(layer.param.top)
    return names if names or not cls.is_loss else [AUTOMATIC]


def _has_bottom_s_name(layer: LayerDef, position: int) -> bool:
    param = layer.param
    return (position < min(len(param.top), len(param.bottom))
            and param.top[position] == param.bottom[position])


def _cannot_be_in_place(layer: LayerDef, position: int) -> CaffeError:
    param = layer.param
    return NetError(f"{param.type} cannot work in place", where=layer.place.at("top", position),
                    layer=param.name,
                    remedy=f"Give the top another name than '{param.top[position]}'.")


def _produced_twice(layer: LayerDef, position: int, first: LayerDef) -> CaffeError:
    blob = layer.param.top[position]
    if first is layer:
        remedy = "Give each top a name of its own"
    elif not layer.param.bottom and not first.param.bottom:
        remedy = ("If one is for training and one for testing, say so: include { phase: TRAIN } in "
                  "the first, include { phase: TEST } in the other; or name the tops apart")
    elif stages := own_stages(first, layer):
        remedy = stages
    else:
        remedy = ("Rename the top. If the layer was meant to work in place: another layer reads "
                  "the blob before it, so it needs a top of its own.")
    return NetError(
        f"top blob '{blob}' is produced by several layers: '{first.param.name}' at "
        f"{first.place.at()} makes it already", where=layer.place.at("top", position),
        layer=layer.param.name, remedy=remedy)


def own_stages(first: LayerDef, second: LayerDef) -> str | None:
    """Say that two layers exclude each other by their stages, if both name some and others."""
    if _stages(second) == _stages(first) or not (_stages(second) and _stages(first)):
        return None
    return (f"Each is there for its own stages, {_stages(first)} and {_stages(second)}, and all of "
            "them are set. train --stage adds to those of the solver; --set "
            "train_state.stage=A,B and --set test_state.stage=A,B replace them")


def _stages(layer: LayerDef) -> str:
    return " ".join(dict.fromkeys(stage for rule in layer.param.include for stage in rule.stage))


def _loss_weights(layer: LayerDef, cls: type[Layer], tops: int) -> tuple[float, ...]:
    weights = tuple(layer.param.loss_weight)
    if not weights and not cls.is_loss:
        return (0.0,) * tops
    if not weights and tops == 1:
        return (1.0,)
    if len(weights) != tops:
        raise PrototxtError("loss_weight must be given once per top" + (
                                "" if cls.is_loss else ", or not at all"),
                            where=layer.place.at("loss_weight", 0), layer=layer.param.name,
                            got=f"{len(weights)} weights", wanted=f"{tops}")
    return weights
