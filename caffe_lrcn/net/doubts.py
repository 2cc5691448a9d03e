"""What can be built and is probably wrong: found in a net's graph, said before it runs.

``Net`` logs these as warnings, the solver refuses what cannot learn, ``check`` lists all of them.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..errors import CaffeError, NetError
from ..layer_types import TYPES, layer_class
from ..layer_types.base import TRAIN
from ..proto.text import LayerDef
from .connect import Graph, Vertex, own_stages
from .storage import find_overwrites

_RECURRENT = ("LSTM", "RNN", "GRU")
#: Layer type -> message with the filler of its weights. Zeros are no start for these: what is
#: below them gets no gradient, and all their units stay alike.
_WEIGHT_FILLERS = {"Convolution": "convolution_param", "Deconvolution": "convolution_param",
                   "InnerProduct": "inner_product_param", "Embed": "embed_param",
                   **dict.fromkeys(_RECURRENT, "recurrent_param")}


def graph_doubts(graph: Graph, phase: int) -> Iterator[CaffeError]:
    """Yield what is probably wrong with a net, whatever it is used for."""
    yield from _overwrites(graph, phase)
    yield from _equal_names(graph)
    yield from _constant_cont(graph)


def _overwrites(graph: Graph, phase: int) -> Iterator[CaffeError]:
    # CAFFE-QUIRK: values or gradients are then wrong, as they are in Caffe.
    for spoilt in find_overwrites(graph):
        if spoilt.backward and phase != TRAIN:
            continue
        writer, reader = spoilt.writer.definition, spoilt.reader.definition
        what = "computes its gradient from" if spoilt.backward else "reads"
        if reader.param.type == "Parameter":
            what = "begins its next pass with"
        yield NetError(
            f"layer '{writer.param.name}' changes in place the memory of '{spoilt.blob}', so "
            f"layer '{reader.param.name}' {what} changed values, as in Caffe",
            where=writer.place.at(),
            remedy=f"Give the top of '{writer.param.name}' another name")


def _equal_names(graph: Graph) -> Iterator[CaffeError]:
    # CAFFE-QUIRK: Caffe builds such nets.
    first: dict[str, LayerDef] = {}
    for vertex in graph.vertices:
        layer = vertex.definition
        if layer.inserted:
            continue
        other = first.setdefault(layer.param.name, layer)
        if other is not layer:
            yield NetError(f"layer '{layer.param.name}' has the name of the layer at "
                           f"{other.place.at()}, so weights, which are copied by name, reach "
                           "the first one only", where=layer.place.at(),
                           remedy=own_stages(other, layer) or "Give each layer a name of its own")


def _constant_cont(graph: Graph) -> Iterator[CaffeError]:
    for vertex, value in _conts(graph):
        if value is None:
            continue
        what = ("no sequence ever begins: each batch goes on where the one before ended" if value
                else "each step begins a sequence: nothing is carried over")
        yield NetError(f"layer '{vertex.definition.param.name}': cont is {value:g} at every step, "
                       f"so {what}", where=vertex.definition.place.at("bottom", 1),
                       remedy="Take cont from the data: 0 at the first step of a sequence, else 1")


def _conts(graph: Graph) -> Iterator[tuple[Vertex, float | None]]:
    """Yield recurrent layers, and the value of their cont if the definition tells one."""
    makers = {blob: vertex for vertex in graph.vertices for blob in vertex.tops}
    for vertex in graph.vertices:
        if vertex.definition.param.type not in _RECURRENT or len(vertex.bottoms) < 2:
            continue
        maker = makers.get(vertex.bottoms[1])
        while maker and maker.definition.param.type in ("Split", "Reshape", "Flatten"):
            maker = makers.get(maker.bottoms[0]) if maker.bottoms else None
        yield vertex, _constant(maker) if maker else None


def endless_cont(graph: Graph, all_ones: Callable[[int], bool]) -> Iterator[CaffeError]:
    """Yield recurrent layers whose data begin no sequence, after the first iteration.

    Args:
        all_ones: tells of a blob, by number, whether it holds nothing but 1.
    """
    for vertex, value in _conts(graph):
        if value is None and all_ones(vertex.bottoms[1]):
            yield NetError(
                f"layer '{vertex.definition.param.name}': cont is 1 at every step of the first "
                "iteration, so no sequence begins in it",
                where=vertex.definition.place.at("bottom", 1),
                remedy="In the data cont must be 0 at the first step of a sequence, else 1")


def fixed_sizes(graph: Graph, vertex: Vertex) -> list[str]:
    """Return of each Reshape above a layer that writes one of the first two sizes what it does."""
    makers = {blob: maker for maker in graph.vertices if maker is not vertex
              for blob in maker.tops}
    found: dict[str, None] = {}
    above, seen = list(vertex.bottoms), set[int]()
    while above:
        blob = above.pop()
        maker = makers.get(blob)
        if maker is None or blob in seen:
            continue
        seen.add(blob)
        above += maker.bottoms
        param = maker.definition.param
        dims = list(param.reshape_param.shape.dim)
        if param.type == "Reshape" and max(dims[:2], default=0) > 0:
            found[f"Layer '{param.name}' ({maker.definition.place.at()}) writes "
                  f"{' x '.join(map(str, dims))}"] = None
    return list(found)


def _constant(maker: Vertex) -> float | None:
    """Return the one value that a DummyData layer fills its tops with, if there is one."""
    fillers = maker.definition.param.dummy_data_param.data_filler
    if maker.definition.param.type != "DummyData" or any(
            filler.type != "constant" for filler in fillers):
        return None
    values = {filler.value for filler in fillers} or {0.0}
    return values.pop() if len(values) == 1 else None


# Of nets that are trained ---------------------------------------------------------------------


def missing_loss(graph: Graph, layers: Iterable[LayerDef]) -> CaffeError | None:
    """Return the error that no layer of a net which is trained has a loss, or None.

    Args:
        graph: of the net.
        layers: all layers of the definition, those included that its phase leaves out.
    """
    if any(any(vertex.loss_weights) or not vertex.sound for vertex in graph.vertices):
        return None
    layers = list(layers)
    absent = [layer for layer in layers if is_loss(layer)]
    where, remedy = (layers[-1].place.file if layers else None), "Add one, such as SoftmaxWithLoss"
    if absent:
        where = absent[0].place.at()
        remedy = (f"'{absent[0].param.name}' is one, but its rules leave it out here, or its "
                  "loss_weight is 0")
    return NetError("the net that is trained has no loss, so nothing can be learnt", where=where,
                    remedy=remedy)


def is_loss(layer: LayerDef) -> bool:
    """Tell whether a layer has a loss by its type or its ``loss_weight``."""
    return any(layer.param.loss_weight) or (
        layer.param.type in TYPES and layer_class(layer.param.type).is_loss)


def rate_doubt(graph: Graph, rates: Sequence[float]) -> CaffeError | None:
    """Return what is wrong with the ``lr_mult`` of all parameters together, or None."""
    if any(rates) or not graph.vertices:
        return None
    where = graph.vertices[0].definition.place.file
    if not rates:
        return NetError("the net that is trained has no parameters", where=where)
    return NetError("every parameter has lr_mult 0, so nothing is learnt", where=where,
                    got=f"{len(rates)} parameters")


def unfilled(graph: Graph) -> Iterator[tuple[LayerDef, CaffeError]]:
    """Yield layers whose weights start as zeros unless a file brings others, and the warning."""
    seen: set[str] = set()
    for vertex in graph.vertices:
        layer = vertex.definition
        field = _WEIGHT_FILLERS.get(layer.param.type)
        shared = layer.param.param[0].name if layer.param.param else ""
        if field and shared not in seen and not layer.param.blobs and _is_zero(
                getattr(layer.param, field).weight_filler):
            yield layer, NetError(
                f"layer '{layer.param.name}': its weights have no filler, so all start as 0 and "
                "what is below gets no gradient, unless --weights or a snapshot brings others",
                where=layer.place.at(field),
                remedy=f'Write {field} {{ weight_filler {{ type: "xavier" }} }}')
        if shared:
            seen.add(shared)


def _is_zero(filler: Any) -> bool:
    return bool(filler.type == "constant" and not filler.value
                or filler.type == "gaussian" and not filler.mean and not filler.std
                or filler.type == "uniform" and not filler.min and not filler.max)
