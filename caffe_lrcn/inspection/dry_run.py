"""Set up the layers of a net one by one, without data, and go on after an error.

What an error spoils is treated as unknown: layers that read it are not looked at further.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from ..backends import get_backend
from ..blob import Blob
from ..errors import CaffeError, NetError
from ..layer_types import Layer
from ..layer_types.base import LayerContext, Settings
from ..net.connect import Vertex, connect
from ..net.filter import filter_layers, rule_mismatch
from ..net.params import plan_params
from ..net.splits import insert_splits, unknown_bottom
from ..proto import caffe_pb2
from ..proto.text import LayerDef, NetDef
from .data_shapes import Shape, guess_shapes, needs_data
from .problems import ERROR, NOTE, WARNING, Problem

#: Types whose setup acts on the world outside: their tops stay unknown.
_NOT_RUN = ("Python", "HDF5Output")


@dataclass
class Step:
    """A layer of the dry run; ``layer`` is None if it could not be set up."""

    definition: LayerDef
    layer: Layer | None
    bottoms: list[Shape | None]
    tops: list[Shape | None]

    @property
    def params(self) -> list[Shape]:
        """Shapes of the parameters."""
        return [blob.shape for blob in self.layer.blobs] if self.layer else []


@dataclass
class DryRun:
    """Layers of one variant of a net, with all shapes that can be told without data.

    Args:
        definition: the net.
        state: phase, level and stages.
        given: shapes that are known from elsewhere, by blob.
        skipped: places of layers that could not be read whole and are not looked at.
    """

    definition: NetDef
    state: caffe_pb2.NetState
    given: Mapping[str, Shape] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: Blobs whose shape depends on something assumed.
    assumed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._backend = get_backend("shapes")
        self._blobs: dict[str, Blob | None] = {}
        self._layers = self._belonging()
        for layer in self._layers:
            self._step(layer)
        self._check_sharing()

    def shape(self, blob: str) -> Shape | None:
        """Return the shape of a blob after its last writer, or None if it is not known."""
        found = self._blobs.get(blob)
        return found.shape if found else None

    def _belonging(self) -> list[LayerDef]:
        layers = []
        for layer in self.definition.layers:
            try:
                layers += filter_layers([layer], self.state)
            except CaffeError as error:
                self._report(error)
        return layers

    def _step(self, layer: LayerDef) -> None:
        bottoms = [self._blobs.get(name) for name in layer.param.bottom]
        missing = [i for i, name in enumerate(layer.param.bottom) if name not in self._blobs]
        for position in missing:
            self._report(self._unknown_bottom(layer, position))
        vertex = self._vertex(layer)
        found: Layer | None = None
        tops: list[Blob | None] = [None] * len(layer.param.top)
        spoilt = layer.place.at() in self.skipped or layer.param.type in _NOT_RUN
        if vertex and not missing and not spoilt and None not in bottoms:
            found, tops = self._set_up(layer, vertex, cast("list[Blob]", bottoms))
        elif layer.param.type == "Python" and layer.param.top:
            self._note(layer, "the tops' shapes are not known without running its Python code")
        shapes = [blob.shape if blob else None for blob in bottoms]
        tainted = any(name in self.assumed for name in layer.param.bottom)
        for name, blob in zip(layer.param.top, tops, strict=False):
            self._blobs[name] = self._with_given_shape(name, blob)
            if tainted and name not in self.given:
                self.assumed.add(name)
        self.steps.append(Step(layer, found, shapes, [
            self.shape(name) for name in layer.param.top] or [
                blob.shape if blob else None for blob in tops]))

    def _vertex(self, layer: LayerDef) -> Vertex | None:
        """Connect the layer to blobs that are taken for granted: only it can be to blame."""
        known = dict.fromkeys([*layer.param.bottom,
                               *(top for top in layer.param.top if top in self._blobs)])
        source = LayerDef(caffe_pb2.LayerParameter(name="(bottoms)", type="Input", top=known),
                          layer.place)
        layers = insert_splits([source, layer] if known else [layer])
        try:
            return connect(layers).vertices[-1]
        except CaffeError as error:
            self._report(error)
            return None

    def _set_up(self, layer: LayerDef, vertex: Vertex,
                bottoms: list[Blob]) -> tuple[Layer | None, list[Blob | None]]:
        param = caffe_pb2.LayerParameter()
        param.CopyFrom(layer.param)
        if not param.HasField("phase"):
            param.phase = self.state.phase
        context = LayerContext(self._backend, param.phase, 1, layer.place, Settings())
        count = len(vertex.tops)
        tops = [bottoms[i] if i < len(param.top) and i < len(bottoms)
                and param.top[i] == param.bottom[i] else Blob(self._backend)
                for i in range(count)]
        made: Layer | None = None
        try:
            made = vertex.cls(param, context)
            made.setup(bottoms, tops)
            made.reshape(bottoms, tops)
        except CaffeError as error:
            return None, self._after_error(layer, error, count)
        finally:
            if made is not None:
                made.close()
        if param.type == "Input" and not param.input_param.shape:
            return made, [None] * count
        return made, list(tops)

    def _after_error(self, layer: LayerDef, error: CaffeError, count: int) -> list[Blob | None]:
        """Report an error of a setup; return what can be said of the tops nevertheless."""
        error.layer = error.layer or layer.param.name
        error.where = error.where or layer.place.at()
        if not str(error.where).startswith(layer.place.file + ":"):
            # Another file is to blame: data that are not there are no problem of the definition.
            if not needs_data(layer):
                self._note(layer, f"not looked at further: {error}")
        elif any(name in self.assumed for name in layer.param.bottom):
            error.remedy = (f"{error.remedy.rstrip('.')}. " if error.remedy else "") + (
                "This rests on a shape that was assumed; --shape says another")
            self._report(error, WARNING)
        else:
            self._report(error)
        return self._guess(layer) if needs_data(layer) else [None] * count

    def _guess(self, layer: LayerDef) -> list[Blob | None]:
        guess = guess_shapes(layer, self._layers)
        open_tops = [name for name in layer.param.top if name not in self.given]
        if guess.assumption and open_tops:
            self._note(layer, f"without its data, {guess.assumption} are assumed; "
                              f"--shape {open_tops[0]}=… says otherwise")
            self.assumed.update(open_tops)
        unknown = [name for name, shape in zip(layer.param.top, guess.shapes, strict=False)
                   if shape is None and name not in self.given and self._is_read(name)]
        if unknown:
            self._note(layer, "without its data the shape is not known of "
                              f"{', '.join(unknown)}; say it with --shape {unknown[0]}=…")
        return [Blob(self._backend, shape) if shape and min(shape) > 0 else None
                for shape in guess.shapes]

    def _is_read(self, blob: str) -> bool:
        return any(blob in layer.param.bottom and layer.param.type != "Silence"
                   for layer in self._layers)

    def _with_given_shape(self, name: str, blob: Blob | None) -> Blob | None:
        if name not in self.given or name in self._blobs:
            return blob
        return Blob(self._backend, self.given[name])

    def _unknown_bottom(self, layer: LayerDef, position: int) -> NetError:
        error = unknown_bottom(layer, position, list(self._blobs))
        reasons = list(filter(None, (self._why_absent(other, layer.param.bottom[position])
                                     for other in self.definition.layers)))
        if reasons:
            error.remedy = f"It is made by {', or by '.join(reasons[:3])}"
        return error

    def _why_absent(self, layer: LayerDef, blob: str) -> str | None:
        """Return which layer makes a blob, and why it does not do so in this variant."""
        if blob not in layer.param.top:
            return None
        line = layer.place.at().removeprefix(layer.place.file)
        name = f"layer '{layer.param.name}' ({line[1:]})" if line else f"'{layer.param.name}'"
        if layer in self._layers:
            return f"{name}, which comes later: move it up"
        why = [rule_mismatch(self.state, rule) for rule in layer.param.include]
        return f"{name}, left out here: {why[0] if why else 'an exclude rule holds'}"

    def _check_sharing(self) -> None:
        built = [step for step in self.steps if step.layer]
        definitions = []
        for step in built:
            assert step.layer is not None
            completed = len(step.layer.param.param) > len(step.definition.param.param)
            definitions.append(LayerDef(step.layer.param, step.definition.place) if completed
                               else step.definition)
        try:
            plan_params(definitions, [step.params for step in built])
        except CaffeError as error:
            self._report(error)

    def _report(self, error: CaffeError, severity: str = ERROR) -> None:
        self.problems.append(Problem.from_error(error, severity))

    def _note(self, layer: LayerDef, text: str) -> None:
        self.problems.append(Problem(NOTE, layer.place.at(),
                                     f"layer '{layer.param.name}': {text}"))


def variant_name(state: caffe_pb2.NetState) -> str:
    """Return the phase, level and stages of a variant in words."""
    name = caffe_pb2.Phase.Name(state.phase)
    name += f", level {state.level}" if state.level else ""
    return name + (f", stages {' '.join(state.stage)}" if state.stage else "")


def parse_shapes(texts: Sequence[str]) -> dict[str, Shape]:
    """Return shapes given as ``NAME=1,3,227,227``.

    Raises:
        UsageError: another form.
    """
    from ..errors import UsageError
    shapes = {}
    for text in texts:
        name, equals, sizes = text.partition("=")
        items = sizes.replace("x", ",").split(",")
        if not name or not equals or not all(item.strip().isdecimal() for item in items):
            raise UsageError("--shape takes a blob and its sizes", got=text,
                             wanted="NAME=1,3,227,227")
        shapes[name] = tuple(int(item) for item in items)
    return shapes
