"""From a graph to nodes: make the blobs and layers, set them up, and apply the plans to them."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from .. import glog
from ..backends import Backend
from ..blob import Blob
from ..errors import CaffeError
from ..layer_types import Layer
from ..layer_types.base import TRAIN, LayerContext
from ..proto import caffe_pb2
from ..proto.text import Place
from .backward_plan import plan_backward
from .connect import Graph, Vertex
from .params import Learnable, plan_params
from .storage import find_overwrites, plan_storage

ContextFor = Callable[[int, Place], LayerContext]


@dataclass
class Node:
    """A layer with its blobs and what the passes decided about it.

    ``overwritten[i]`` tells that a consumer overwrites the gradient of top ``i``, so that a loss
    weight there has to be added again before the layer's backward pass.
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
    overwritten: list[bool] = field(default_factory=list)
    loss_shapes: list[tuple[int, ...]] = field(default_factory=list)

    def seed_loss(self) -> None:
        """Write the loss weights into the diffs of the tops."""
        # CAFFE-QUIRK: the loss weight can be seen (and changed) in the top's diff.
        self.loss_shapes = [blob.shape for blob in self.top]
        for blob, weight in zip(self.top, self.loss_weights, strict=True):
            if weight:
                blob.diff[...] = weight

    def placed(self, error: CaffeError) -> CaffeError:
        """Name the layer and its place in an error that an op or a blob raised."""
        if error.where and not error.layer and self.place.file not in str(error.where):
            error.message += f" (the layer is at {self.place.at()})"  # the error tells of its data
        error.layer = error.layer or self.layer.name
        error.where = error.where or self.place.at()
        return error


def make_blobs(graph: Graph, backend: Backend) -> list[Blob]:
    """Return the blobs of a graph, those that alias others sharing their storage."""
    blobs = [Blob(backend) for _ in graph.blob_names]
    for plan in plan_storage(graph).values():
        blobs[plan.blob].share_data(blobs[plan.source])
        if plan.diff:
            blobs[plan.blob].share_diff(blobs[plan.source])
    return blobs


def warn_of_overwrites(graph: Graph, phase: int) -> None:
    """Log a warning for each layer in place that changes what another layer needs."""
    # CAFFE-QUIRK: values or gradients are then wrong, as they are in Caffe.
    for spoilt in find_overwrites(graph):
        if spoilt.backward and phase != TRAIN:
            continue
        writer, reader = spoilt.writer.definition, spoilt.reader.definition
        what = "computes its gradient from" if spoilt.backward else "reads"
        glog.warning(
            f"{writer.place.at()}: layer '{writer.param.name}' changes in place the memory of "
            f"'{spoilt.blob}', so layer '{reader.param.name}' {what} changed values, as in Caffe. "
            f"Give the top of '{writer.param.name}' another name.")


def build_node(graph: Graph, vertex: Vertex, blobs: list[Blob], phase: int,
               context_for: ContextFor) -> Node:
    """Make one layer and set it up; its bottoms must have been built before.

    Raises:
        CaffeError: the layer refuses its definition or its bottoms.
    """
    param = caffe_pb2.LayerParameter()
    param.CopyFrom(vertex.definition.param)
    if not param.HasField("phase"):
        param.phase = cast("caffe_pb2.Phase", phase)
    if any(vertex.loss_weights) and not param.loss_weight:
        param.loss_weight.extend(vertex.loss_weights)
    place = vertex.definition.place
    node = Node(vertex.cls(param, context_for(param.phase, place)), place,
                [blobs[blob] for blob in vertex.bottoms], [blobs[blob] for blob in vertex.tops],
                [graph.blob_names[blob] for blob in vertex.bottoms],
                [graph.blob_names[blob] for blob in vertex.tops], vertex.loss_weights)
    try:
        node.layer.setup(node.bottom, node.top)
        node.layer.reshape(node.bottom, node.top)
    except CaffeError as error:
        node.layer.close()
        raise node.placed(error) from None
    except BaseException:
        node.layer.close()
        raise
    node.seed_loss()
    return node


def share_params(graph: Graph, nodes: list[Node]) -> tuple[list[Learnable], list[list[int]]]:
    """Join parameters of one name; return the owners and each parameter's position among them."""
    definitions = [vertex.definition for vertex in graph.vertices]
    for definition, node in zip(definitions, nodes, strict=True):
        # A layer may have completed its param entries (BatchNorm freezes its statistics).
        if len(node.layer.param.param) > len(definition.param.param):
            definition.param.ClearField("param")
            definition.param.param.extend(node.layer.param.param)
    plan = plan_params(definitions, [[b.shape for b in node.layer.blobs] for node in nodes])
    for node, owners in zip(nodes, plan.owner, strict=True):
        for blob, owner in zip(node.layer.blobs, owners, strict=True):
            learnable = plan.learnable[owner]
            source = nodes[learnable.layer].layer.blobs[learnable.index]
            if blob is not source:
                blob.share_data(source)
                blob.share_diff(source)
    return plan.learnable, plan.owner


def apply_backward_plan(graph: Graph, nodes: list[Node], rates: list[list[float]],
                        force: bool) -> None:
    """Tell each node which gradients are wanted of it."""
    plan = plan_backward(graph, [node.layer for node in nodes], rates, force)
    wanted = {blob for vertex, needs in zip(graph.vertices, plan.bottoms, strict=True)
              for blob, need in zip(vertex.bottoms, needs, strict=True) if need}
    for index, (node, vertex) in enumerate(zip(nodes, graph.vertices, strict=True)):
        node.needs_backward = plan.layers[index]
        node.propagate_down = list(plan.bottoms[index])
        node.layer.param_propagate_down = list(plan.params[index])
        node.overwritten = [blob in wanted for blob in vertex.tops]
