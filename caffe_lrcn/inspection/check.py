"""Everything that is wrong with definitions, found without data, weights or a forward pass."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..collection import paused_collection
from ..errors import CaffeError, PrototxtError
from ..net.collect import Shape
from ..net.doubts import is_loss, missing_loss, rate_doubt, unfilled
from ..net.filter import filter_layers, make_state
from ..paths import resolve
from ..proto import caffe_pb2
from ..proto.text import (
    LayerDef,
    NetChange,
    NetDef,
    SolverDef,
    inline_net,
    read_text,
    upgraded_net,
)
from ..proto.upgrade import upgrade_solver
from ..solver.checks import solver_doubts, solver_errors
from ..solver.nets import plan_nets
from .look import Look, look_at, variant_name
from .problems import ERROR, NOTE, WARNING, Problem, merge
from .recurrent_rules import check_recurrent
from .repair import is_solver, repair

_TRAIN, _TEST = 0, 1


@dataclass
class Report:
    """What was found in one file.

    Args:
        file: the file, as it was named.
        variants: the nets that were looked at, by phase, level and stages.
        problems: findings by place.
        nets: other files that were looked at because this one, a solver, names them.
    """

    file: str
    variants: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    nets: list[str] = field(default_factory=list)


def check_file(path: str, stages: Sequence[str] = (),
               shapes: Mapping[str, Shape] | None = None,
               changes: Sequence[NetChange] = ()) -> Report:
    """Check a net, or a solver and the nets that it names.

    Args:
        path: a prototxt.
        stages: set in every net, beside those that a solver sets.
        shapes: shapes of blobs that come from data, by name.
        changes: made to each net before it is looked at.

    Raises:
        UsageError: a change does not fit a net.
    """
    checker = _Checker(Report(path), stages, shapes or {}, changes)
    try:
        text = read_text(path)
    except PrototxtError as error:
        checker.report(error)
    else:
        with paused_collection():
            (checker.solver if is_solver(text) else checker.net)(text)
    checker.result.problems = merge(checker.result.problems)
    return checker.result


class _Checker:
    """Fills a report; ``_damaged`` holds the places of layers that could not be read whole."""

    def __init__(self, result: Report, stages: Sequence[str], shapes: Mapping[str, Shape],
                 changes: Sequence[NetChange]) -> None:
        self.result = result
        self._stages, self._shapes, self._changes = stages, shapes, changes
        self._solver: SolverDef | None = None
        self._damaged: set[str] = set()

    def report(self, error: CaffeError) -> None:
        """Note an error."""
        self.result.problems.append(Problem.from_error(error))

    def net(self, text: str) -> None:
        """Check a net in each of the phases that it tells apart."""
        net = self._parse(text, self.result.file)
        if net is not None:
            for phase in _phases(net):
                self._variant(net, make_state(phase, 0, self._stages, net.param.state))

    def solver(self, text: str) -> None:
        """Check a solver and the nets that it plans."""
        file = self.result.file
        param = caffe_pb2.SolverParameter()
        repaired = repair(text, param, file)
        self.result.problems += repaired.problems
        if repaired.text is None:
            return
        solver = SolverDef(param, repaired.place)
        try:
            upgrade_solver(param, repaired.place)
        except PrototxtError as error:
            self.report(error)
        # A field that was blanked out above is not to be missed again.
        blamed = {problem.text.split("'")[1] for problem in repaired.problems
                  if "'" in problem.text}

        def report(error: CaffeError) -> None:
            if not any(name in error.message for name in blamed):
                self.report(error)

        solver.param.snapshot_prefix = solver.param.snapshot_prefix or "snapshot"
        for error in solver_errors(solver.param, solver.place):
            report(error)
        self.result.problems += [Problem.from_error(doubt, WARNING)
                                 for doubt in solver_doubts(solver.param, solver.place)]
        if not solver.param.max_iter and "max_iter" not in blamed:
            self.result.problems.append(Problem(
                WARNING, solver.place.at("max_iter"),
                "max_iter is 0 or not set, so no iteration is made. Set it"))
        for number, names in enumerate(solver.param.weights):
            for name in filter(None, map(str.strip, names.split(","))):
                if not os.path.exists(resolve(name, file)):
                    self.result.problems.append(Problem(
                        NOTE, solver.place.at("weights", number),
                        f"'{name}' is not there, and training needs it"))
        self._solver = solver
        for plan in plan_nets(solver, self._named_net, report):
            plan.state.stage.extend(self._stages)
            self._variant(plan.definition, plan.state)

    def _parse(self, text: str, file: str) -> NetDef | None:
        param = caffe_pb2.NetParameter()
        repaired = repair(text, param, file)
        self.result.problems += repaired.problems
        self._damaged |= repaired.damaged
        try:
            net = None if repaired.text is None else upgraded_net(param, repaired.place)
            return self._changed(net)
        except PrototxtError as error:  # an old form that has no new one
            self.report(error)
            return None

    def _changed(self, net: NetDef | None) -> NetDef | None:
        for change in self._changes if net else ():
            change(net)
        return net

    def _named_net(self, solver: SolverDef, *path: str | int) -> NetDef | None:
        value = getattr(solver.param, str(path[0]))
        value = value[path[1]] if len(path) > 1 else value
        if not isinstance(value, str):
            return self._changed(inline_net(solver, *path))
        file = resolve(value, solver.place.file)
        if file not in self.result.nets:
            self.result.nets.append(file)
        try:
            return self._parse(read_text(file), file)
        except PrototxtError as error:
            error.message = f"'{value}': {error.message}"
            error.where = solver.place.at(*path)
            self.report(error)
            return None

    def _variant(self, net: NetDef, state: caffe_pb2.NetState) -> None:
        if not net.layers:
            self.report(PrototxtError("the net has no layers", where=net.place.file))
        look = look_at(net, state, self._shapes, frozenset(self._damaged))
        name = variant_name(state)
        trained = self._training_problems(look) if state.phase == _TRAIN else []
        for problem in (*look.problems, *check_recurrent(look), *trained):
            problem.variants = [name]
            self.result.problems.append(problem)
        if name not in self.result.variants:
            self.result.variants.append(name)


    def _training_problems(self, look: Look) -> list[Problem]:
        """Return why nothing is learnt; of a net that no solver names, warnings alone."""
        graph, problems = look.built.graph, []
        error = missing_loss(graph, look.definition.layers)
        if error and not look.definition.param.force_backward:
            problems.append(Problem.from_error(error, ERROR if self._solver else WARNING))
        if len(look.built.nodes) == len(graph.vertices):
            doubt = rate_doubt(graph, [one.lr for one in look.built.learnable])
            problems += [Problem.from_error(doubt, WARNING)] if doubt else []
        if self._solver is None or not self._solver.param.weights:
            problems += [Problem.from_error(doubt, WARNING) for _, doubt in unfilled(graph)]
        return problems


def _phases(net: NetDef) -> list[int]:
    """Return the phases that a net's rules tell apart; TEST alone if they tell none.

    Where TRAIN has neither data nor a loss nobody trains: the rules of a deployed net are left
    over from training.
    """
    state = make_state(_TRAIN, base=net.param.state)
    if any(rule.HasField("phase") for layer in net.layers
           for rule in (*layer.param.include, *layer.param.exclude)):
        trains = any(is_loss(layer) or _brings_data(layer)
                     for layer in filter_layers(net.layers, state, lambda error: None))
        return [_TRAIN, _TEST] if trains else [_TEST]
    return [net.param.state.phase if net.param.HasField("state") else _TEST]


def _brings_data(layer: LayerDef) -> bool:
    """Tell whether a layer makes blobs of its own, other than inputs that a caller fills."""
    return not layer.param.bottom and layer.param.type not in ("Input", "Parameter")
