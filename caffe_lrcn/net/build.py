"""From layers to nodes: run the passes, make blobs and layers, set them up, apply the plans.

Everybody who looks at a net or runs it gets its nodes here. On the backend ``shapes`` they take no
memory, and with a ``Collector`` the builder goes on after errors.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from ..backends import SMALLER, Backend
from ..blob import Blob
from ..collection import paused_collection
from ..errors import BackendError, CaffeError
from ..layer_types import Layer
from ..layer_types.base import LayerContext, Settings
from ..proto import caffe_pb2
from ..proto.text import LayerDef, Place
from .backward_plan import plan_backward
from .collect import Collector, Shape, fail
from .connect import Graph, Vertex, connect
from .freeze import freeze, is_frozen
from .loss_memory import plan_loss_memory
from .params import Learnable, own_rates, plan_params
from .splits import insert_splits
from .storage import plan_storage

if TYPE_CHECKING:
    from ..backends.scalars import Scalars


@dataclass
class Node:
    """A layer with its blobs and what the passes decided about it.

    ``overwritten`` and ``spent`` are those of ``LossMemory``, for each top.
    """

    layer: Layer
    place: Place
    bottom: list[Blob]
    top: list[Blob]
    bottom_names: list[str]
    top_names: list[str]
    loss_weights: tuple[float, ...]
    needs_backward: bool = False
    propagate_down: list[bool] = field(default_factory=list)
    overwritten: tuple[bool, ...] = ()
    spent: tuple[bool, ...] = ()
    loss_shapes: list[tuple[int, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.has_loss = any(self.loss_weights)

    def seed_loss(self) -> None:
        """Write the loss weights into the diffs of the tops."""
        # CAFFE-QUIRK: the loss weight can be seen (and changed) in the top's diff.
        self.loss_shapes = [blob.shape for blob in self.top]
        for blob, weight in zip(self.top, self.loss_weights, strict=True):
            if weight:
                blob.diff[...] = weight

    def renew_loss(self) -> None:
        """Write the loss weights again that the last backward pass has replaced by gradients."""
        for blob, weight, spent in zip(self.top, self.loss_weights, self.spent, strict=True):
            if spent:
                blob.diff[...] = weight

    def placed(self, error: CaffeError | MemoryError) -> CaffeError:
        """Name the layer and its place in an error that an op or a blob raised."""
        if isinstance(error, MemoryError):
            error = BackendError("there is not enough memory", got=error, remedy=SMALLER)
        if error.where and not error.layer and self.place.file not in str(error.where):
            error.message += f" (the layer is at {self.place.at()})"  # the error tells of its data
        error.layer = error.layer or self.layer.name
        error.where = error.where or self.place.at()
        return error


@dataclass(frozen=True)
class Step:
    """A layer of a built net, in the order of execution.

    Args:
        definition: the layer as it was written; of an inserted Split, as the pass made it.
        inserted: whether it is a Split that nobody wrote.
        node: the layer with its blobs; None if it could not be set up.
        bottoms, tops: the shapes of its blobs; None where one is unknown.
    """

    definition: LayerDef
    inserted: bool
    node: Node | None
    bottoms: list[Shape | None]
    tops: list[Shape | None]


@dataclass
class Built:
    """What the builder made of a net.

    Args:
        graph: names and numbers of its blobs.
        blobs: by number.
        steps: its layers, those included that could not be set up.
        learnable: its parameters, each shared one once; ``layer`` counts the nodes.
        owners: for each node the positions of its parameters in ``learnable``.
    """

    graph: Graph
    blobs: list[Blob]
    steps: list[Step] = field(default_factory=list)
    learnable: list[Learnable] = field(default_factory=list)
    owners: list[list[int]] = field(default_factory=list)

    @property
    def nodes(self) -> list[Node]:
        """The layers that have been set up."""
        return [step.node for step in self.steps if step.node]

    def close(self) -> None:
        """Let the layers release threads, processes and files."""
        for node in self.nodes:
            node.layer.close()


@paused_collection()
def build(layers: Sequence[LayerDef], backend: Backend, phase: int, *, seed: int = 1,
          settings: Settings | None = None, scalars: Scalars | None = None,
          force_backward: bool = False, collector: Collector | None = None) -> Built:
    """Return the nodes of a net.

    Args:
        layers: those that belong to the net, as written.
        backend: where the blobs live.
        phase: ``TRAIN`` (0) or ``TEST`` (1), for layers that name none.
        seed: all random numbers of the net derive from it.
        settings: choices for the whole net.
        scalars: the net's numbers of a step; new ones if None.
        force_backward: the net's field of this name.
        collector: takes the errors; without one the first is raised.

    Raises:
        CaffeError: there is an error and no collector.
    """
    on_error = collector.report if collector else fail
    graph = connect(insert_splits(list(layers), on_error), on_error)
    context = LayerContext(backend, phase, seed, Place.nowhere("net"), settings or Settings(),
                           scalars or backend.scalars())
    built = Built(graph, _make_blobs(graph, backend))
    unknown = set(range(len(built.blobs)))
    written = iter(layers)
    try:
        for vertex in graph.vertices:
            definition = vertex.definition if vertex.definition.inserted else next(written)
            built.steps.append(_step(built, vertex, definition, context, unknown, collector))
        definitions = _share_params(built, context.settings.frozen)
        if len(definitions) == len(graph.vertices):
            _apply_backward_plan(built, definitions, force_backward, context.settings.strict)
    except BaseException as error:
        if collector is None or not isinstance(error, CaffeError):
            built.close()
            raise
        collector.report(error)
    return built


def _make_blobs(graph: Graph, backend: Backend) -> list[Blob]:
    """Return the blobs of a graph, those that alias others sharing their storage."""
    blobs = [Blob(backend) for _ in graph.blob_names]
    for plan in plan_storage(graph).values():
        blobs[plan.blob].share_data(blobs[plan.source])
        if plan.diff:
            blobs[plan.blob].share_diff(blobs[plan.source])
    return blobs


def _step(built: Built, vertex: Vertex, definition: LayerDef, context: LayerContext,
          unknown: set[int], collector: Collector | None) -> Step:
    """Set up the next layer; ``unknown`` holds the blobs whose shapes are not known."""
    bottoms = [None if blob in unknown else built.blobs[blob].shape for blob in vertex.bottoms]
    node: Node | None = None
    tops: list[Shape | None] = []
    if vertex.sound and None not in bottoms and not (collector and collector.skips(definition)):
        try:
            node = _make_node(built, vertex, context)
            _set_up(node)
            tops += [blob.shape for blob in node.top]
        except (CaffeError, MemoryError) as error:
            if collector is None or isinstance(error, MemoryError):
                raise (node.placed(error) if node else error) from None
            node, tops = None, collector.failed(definition, error)
    tops = tops or [None] * len(vertex.tops)
    tops = collector.settle(definition, tops) if collector else tops
    for blob, shape in zip(vertex.tops, tops, strict=True):
        if shape is None:
            unknown.add(blob)
        else:
            unknown.discard(blob)
            built.blobs[blob].reshape(*shape)
    return Step(definition, vertex.definition.inserted, node, bottoms, tops)


def _make_node(built: Built, vertex: Vertex, context: LayerContext) -> Node:
    param = caffe_pb2.LayerParameter()
    param.CopyFrom(vertex.definition.param)
    if not param.HasField("phase"):
        param.phase = cast("caffe_pb2.Phase", context.phase)
    if any(vertex.loss_weights) and not param.loss_weight:
        param.loss_weight.extend(vertex.loss_weights)
    place, names = vertex.definition.place, built.graph.blob_names
    layer = vertex.cls(param, LayerContext(context.backend, param.phase, context.seed, place,
                                           context.settings, context.scalars))
    return Node(layer, place, [built.blobs[blob] for blob in vertex.bottoms],
                [built.blobs[blob] for blob in vertex.tops],
                [names[blob] for blob in vertex.bottoms], [names[blob] for blob in vertex.tops],
                vertex.loss_weights)


def _set_up(node: Node) -> None:
    try:
        node.layer.setup(node.bottom, node.top)
        node.layer.reshape(node.bottom, node.top)
    except BaseException:
        node.layer.close()
        raise
    node.seed_loss()


def _share_params(built: Built, frozen: Sequence[str]) -> list[LayerDef]:
    """Freeze what is to be frozen, and join parameters of one name.

    Returns:
        the definition of each node with what it was given on the way, such as ``--freeze``.
    """
    nodes, definitions = built.nodes, []
    for node, vertex in _built_vertices(built):
        # A layer may have completed its param entries (BatchNorm freezes its statistics).
        if len(node.layer.param.param) > len(vertex.definition.param.param):
            vertex.definition.param.ClearField("param")
            vertex.definition.param.param.extend(node.layer.param.param)
        if is_frozen(node.layer.name, frozen):
            freeze(node.layer.param, len(node.layer.blobs))
        definitions.append(LayerDef(node.layer.param, vertex.definition.place,
                                    vertex.definition.inserted))
    plan = plan_params(definitions, [[b.shape for b in node.layer.blobs] for node in nodes])
    for node, owners in zip(nodes, plan.owner, strict=True):
        for blob, owner in zip(node.layer.blobs, owners, strict=True):
            learnable = plan.learnable[owner]
            source = nodes[learnable.layer].layer.blobs[learnable.index]
            if blob is not source:
                for other in built.blobs if node.layer.type == "Parameter" else ():
                    if other.shares_data_with(blob):  # its top, and what aliases that
                        other.share_data(source)
                blob.share_data(source)
                blob.share_diff(source)
    built.learnable, built.owners = plan.learnable, plan.owner
    return definitions


def _built_vertices(built: Built) -> list[tuple[Node, Vertex]]:
    return [(step.node, vertex) for step, vertex in
            zip(built.steps, built.graph.vertices, strict=True) if step.node]


def _apply_backward_plan(built: Built, definitions: Sequence[LayerDef], force: bool,
                         strict: bool) -> None:
    """Tell each node which gradients are wanted of it, and who writes over those of its tops."""
    graph, nodes = built.graph, built.nodes
    rates = own_rates(definitions, [len(node.layer.blobs) for node in nodes])
    plan = plan_backward(graph, [node.layer for node in nodes], rates, force, strict)
    memory = plan_loss_memory(graph, plan)
    for index, node in enumerate(nodes):
        node.overwritten, node.spent = memory.overwritten[index], memory.spent[index]
        node.has_loss = any(node.loss_weights) or any(node.spent)
        node.needs_backward = plan.layers[index]
        node.propagate_down = list(plan.bottoms[index])
        node.layer.param_propagate_down = list(plan.params[index])
