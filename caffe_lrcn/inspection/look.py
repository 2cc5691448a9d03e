"""Look at one variant of a net without data: its layers, all shapes that can be told, findings."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..backends import get_backend
from ..blob import Blob
from ..errors import CaffeError, PrototxtError, UsageError
from ..layer_types import TYPES, layer_class
from ..layer_types.base import LayerContext
from ..net.build import Built, Step, build
from ..net.collect import Collector, Shape
from ..net.doubts import graph_doubts
from ..net.filter import filter_layers, why_unknown
from ..net.splits import UnknownBottom
from ..paths import resolve
from ..proto import caffe_pb2
from ..proto.text import LayerDef, NetDef
from .data_shapes import guess_shapes, needs_data
from .problems import NOTE, WARNING, Problem

_SOME_SHAPE = (4, 4, 64, 64)  # that most layers take


@dataclass
class Look:
    """What was seen.

    Args:
        definition, state: the net, and the phase, level and stages that choose its layers.
        built: what the builder made.
        steps: the layers that somebody wrote, in order.
        problems: errors, warnings and notes.
    """

    definition: NetDef
    state: caffe_pb2.NetState
    built: Built
    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def look_at(definition: NetDef, state: caffe_pb2.NetState,
            given: Mapping[str, Shape] | None = None,
            skipped: frozenset[str] = frozenset()) -> Look:
    """Build a net on the backend ``shapes`` and go on after errors.

    Args:
        definition: the net.
        state: phase, level and stages.
        given: shapes that are known from elsewhere, by blob.
        skipped: places of layers that could not be read whole and are not looked at.
    """
    findings = _Findings(definition, state, given or {}, skipped)
    built = build(findings.layers, get_backend("shapes"), state.phase,
                  force_backward=definition.param.force_backward, collector=findings)
    built.close()
    for step in built.steps:
        findings.probe(step)
    findings.problems += [Problem.from_error(doubt, WARNING)
                          for doubt in graph_doubts(built.graph, state.phase)]
    return Look(definition, state, built, [step for step in built.steps if not step.inserted],
                findings.problems)


class _Findings(Collector):
    """Turns errors into findings, and guesses what data would have told."""

    def __init__(self, definition: NetDef, state: caffe_pb2.NetState,
                 given: Mapping[str, Shape], skipped: frozenset[str]) -> None:
        super().__init__()
        self.problems: list[Problem] = []
        self._state = state
        self._backend = get_backend("shapes")
        self._given, self._skipped = given, skipped
        self._made: set[str] = set()
        #: Blobs whose shape depends on something assumed.
        self._assumed: set[str] = set()
        self.layers = filter_layers(definition.layers, state, self.report)
        self._kept = set(map(id, self.layers))
        self._read = {blob for layer in self.layers if layer.param.type != "Silence"
                      for blob in layer.param.bottom}
        self._makers: dict[str, list[LayerDef]] = {}
        for layer in definition.layers:
            for blob in layer.param.top:
                self._makers.setdefault(blob, []).append(layer)

    def report(self, error: CaffeError) -> None:
        """Note an error, each once."""
        if isinstance(error, UnknownBottom):
            error.remedy = why_unknown(error.blob, self._makers.get(error.blob, ()), self._kept,
                                       self._state) or error.remedy
        known = len(self.errors)
        super().report(error)
        self.problems += map(Problem.from_error, self.errors[known:])

    def skips(self, layer: LayerDef) -> bool:
        """Leave alone what was not read whole, and what acts when it is set up."""
        return (layer.place.at() in self._skipped
                or layer_class(layer.param.type).acts_on_setup)

    def failed(self, layer: LayerDef, error: CaffeError) -> list[Shape | None]:
        """Note the error, unless it is about data; guess what the data would have said."""
        _place(error, layer)
        if not str(error.where).startswith(layer.place.file + ":"):
            self._blame_data(layer, error)
        elif not isinstance(error, PrototxtError) and any(
                name in self._assumed for name in layer.param.bottom):
            error.remedy = (f"{error.remedy.rstrip('.')}. " if error.remedy else "") + (
                "This rests on a shape that was assumed; --shape says another")
            self.problems.append(Problem.from_error(error, WARNING))
        else:
            self.report(error)
        return self._guess(layer) if needs_data(layer) else []

    def probe(self, step: Step) -> None:
        """Look for what the definition alone says wrong in a layer whose bottoms are unknown."""
        layer = step.definition
        if step.node or step.inserted or None not in step.bottoms or (
                layer.param.type not in TYPES or self.skips(layer)):
            return
        context = LayerContext(self._backend, self._state.phase, 1, layer.place)
        bottom, top = ([Blob(self._backend, _SOME_SHAPE) for _ in names]
                       for names in (layer.param.bottom, layer.param.top))
        made = layer_class(layer.param.type)(layer.param, context)
        try:
            made.setup(bottom, top)
        except PrototxtError as error:
            _place(error, layer)
            self.report(error)
        except (CaffeError, IndexError):
            pass  # for other shapes it may be right
        finally:
            made.close()

    def settle(self, layer: LayerDef, tops: list[Shape | None]) -> list[Shape | None]:
        """Let shapes given from outside win; note what cannot be known."""
        param = layer.param
        if param.type == "Python" and param.top:
            self._note(layer, "the tops' shapes are not known without running its Python code")
        if param.type == "Input" and not param.input_param.shape:
            tops = [None] * len(tops)
            lacking = [name for name in param.top if name not in self._given and name in self._read]
            if lacking:
                self.problems.append(Problem(
                    WARNING, layer.place.at(), f"layer '{param.name}': this Input has no shape, "
                    f"and layers read {', '.join(lacking)}. Write input_param {{ shape "
                    f"{{ dim: … }} }}, or say it here with --shape {lacking[0]}=…"))
        if any(name in self._assumed for name in param.bottom):
            self._assumed.update(name for name in param.top if name not in self._given)
        found = [self._given.get(name, shape) if name not in self._made else shape
                 for name, shape in zip(param.top, tops, strict=False)]
        self._made.update(param.top)
        return found or tops

    def _blame_data(self, layer: LayerDef, error: CaffeError) -> None:
        """Note which files are not there, since a definition may come without its data.

        Data that are there and wrong are an error.
        """
        missing = [(place, path) for place, path in _files_of(layer)
                   if not os.path.exists(resolve(path, layer.place.file))]
        for place, path in missing:
            self.problems.append(Problem(NOTE, place, f"layer '{layer.param.name}': '{path}' is "
                                                      "not there, and training needs it"))
        if not missing and needs_data(layer):
            self.report(error)
        elif not missing:
            self._note(layer, f"not looked at further: {error}")

    def _guess(self, layer: LayerDef) -> list[Shape | None]:
        guess = guess_shapes(layer, self.layers)
        open_tops = [name for name in layer.param.top if name not in self._given]
        if guess.assumption and open_tops:
            self._note(layer, f"without its data, {guess.assumption} are assumed; "
                              f"--shape {open_tops[0]}=… says otherwise")
            self._assumed.update(open_tops)
        unknown = [name for name, shape in zip(layer.param.top, guess.shapes, strict=False)
                   if shape is None and name not in self._given and name in self._read]
        if unknown:
            self._note(layer, "without its data the shape is not known of "
                              f"{', '.join(unknown)}; say it with --shape {unknown[0]}=…")
        return [shape if shape and min(shape) > 0 else None for shape in guess.shapes]

    def _note(self, layer: LayerDef, text: str) -> None:
        self.problems.append(Problem(NOTE, layer.place.at(),
                                     f"layer '{layer.param.name}': {text}"))


def _place(error: CaffeError, layer: LayerDef) -> None:
    """Name the layer in an error that does not tell."""
    error.layer = error.layer or layer.param.name
    error.where = error.where or layer.place.at()


def _files_of(layer: LayerDef) -> list[tuple[str, str]]:
    """Return place and path of each file that a layer reads when it is set up."""
    return [(layer.place.at(field.name, name), getattr(message, name))
            for field, message in layer.param.ListFields() if field.name.endswith("_param")
            for name in ("source", "mean_file")
            if name in message.DESCRIPTOR.fields_by_name and getattr(message, name)]


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
    shapes = {}
    for text in texts:
        name, equals, sizes = text.partition("=")
        items = sizes.replace("x", ",").split(",")
        if not name or not equals or not all(item.strip().isdecimal() for item in items):
            raise UsageError("--shape takes a blob and its sizes", got=text,
                             wanted="NAME=1,3,227,227")
        shapes[name] = tuple(int(item) for item in items)
    return shapes
