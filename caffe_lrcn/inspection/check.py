"""Everything that is wrong with definitions, found without data, weights or a forward pass."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import CaffeError, PrototxtError
from ..net.collect import Shape
from ..net.filter import make_state
from ..paths import resolve
from ..proto import caffe_pb2
from ..proto.text import (
    NetDef,
    SolverDef,
    inline_net,
    parse_message,
    parse_net,
    parse_solver,
    read_text,
)
from ..solver.checks import solver_errors
from ..solver.nets import plan_nets
from .look import look_at, variant_name
from .problems import Problem, merge
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


@dataclass
class _Text:
    """A definition read as far as possible, and which of its layers were not read whole."""

    net: NetDef | None
    damaged: frozenset[str]


def check_file(path: str, stages: Sequence[str] = (),
               shapes: Mapping[str, Shape] | None = None) -> Report:
    """Check a net, or a solver and the nets that it names.

    Args:
        path: a prototxt.
        stages: set in every net, beside those that a solver sets.
        shapes: shapes of blobs that come from data, by name.
    """
    report = Report(path)
    try:
        text = read_text(path)
    except PrototxtError as error:
        report.problems.append(Problem.from_error(error))
        return report
    if is_solver(text):
        _check_solver(report, text, stages, shapes or {})
    else:
        found = _parse_net(report, text, path)
        if found.net is not None:
            states = [make_state(phase, 0, stages, found.net.param.state)
                      for phase in _phases(found.net)]
            _check_net(report, found, states, shapes or {})
    report.problems = merge(report.problems)
    return report


def _parse_net(report: Report, text: str, file: str) -> _Text:
    repaired = repair(text, caffe_pb2.NetParameter(), file)
    report.problems += repaired.problems
    if repaired.text is None:
        return _Text(None, frozenset())
    try:
        return _Text(parse_net(repaired.text, file), frozenset(repaired.damaged))
    except PrototxtError as error:  # an old form that has no new one
        report.problems.append(Problem.from_error(error))
        return _Text(None, frozenset())


def _phases(net: NetDef) -> list[int]:
    """Return the phases that a net's rules tell apart; TEST alone if they tell none."""
    if any(rule.HasField("phase") for layer in net.layers
           for rule in (*layer.param.include, *layer.param.exclude)):
        return [_TRAIN, _TEST]
    return [net.param.state.phase if net.param.HasField("state") else _TEST]


def _check_net(report: Report, found: _Text, states: Sequence[caffe_pb2.NetState],
               shapes: Mapping[str, Shape]) -> None:
    assert found.net is not None
    if not found.net.layers:
        report.problems.append(Problem.from_error(PrototxtError(
            "the net has no layers", where=found.net.place.file)))
    for state in states:
        look = look_at(found.net, state, shapes, found.damaged)
        name = variant_name(state)
        for problem in (*look.problems, *check_recurrent(look)):
            problem.variants = [name]
            report.problems.append(problem)
        if name not in report.variants:
            report.variants.append(name)


# Solvers --------------------------------------------------------------------------------------


def _check_solver(report: Report, text: str, stages: Sequence[str],
                  shapes: Mapping[str, Shape]) -> None:
    repaired = repair(text, caffe_pb2.SolverParameter(), report.file)
    report.problems += repaired.problems
    if repaired.text is None:
        return
    try:
        solver = parse_solver(repaired.text, report.file)
    except PrototxtError as error:
        report.problems.append(Problem.from_error(error))
        solver = SolverDef(*parse_message(repaired.text, caffe_pb2.SolverParameter(),
                                          report.file))
    # A field that was blanked out above is not to be missed again.
    blamed = {problem.text.split("'")[1] for problem in repaired.problems if "'" in problem.text}
    solver.param.snapshot_prefix = solver.param.snapshot_prefix or "snapshot"
    report.problems += [Problem.from_error(error)
                        for error in solver_errors(solver.param, solver.place)
                        if not any(name in error.message for name in blamed)]
    for found, states in _solver_nets(report, solver, stages):
        if found.net is not None:
            _check_net(report, found, states, shapes)


def _solver_nets(report: Report, solver: SolverDef,
                 stages: Sequence[str]) -> list[tuple[_Text, list[caffe_pb2.NetState]]]:
    """Read the nets of a solver; return each with the states that the solver gives it."""
    param = solver.param
    both = [name for name in ("net", "net_param") if param.HasField(name)]
    train = both or [name for name in ("train_net", "train_net_param") if param.HasField(name)]
    tests: list[tuple[str, int]] = [(name, i) for name in ("test_net_param", "test_net")
                                    for i in range(len(getattr(param, name)))]
    found = []
    for name in train:
        net = _named_net(report, solver, name)
        states = [_state(_TRAIN, net, param.train_state, stages)]
        if name in both and (param.test_iter or param.test_state):
            shared = list(param.test_state)[len(tests):] or [caffe_pb2.NetState()]
            states += [_state(_TEST, net, own, stages) for own in shared]
        found.append((net, states))
    for index, (name, position) in enumerate(tests):
        net = _named_net(report, solver, name, position)
        own = param.test_state[index] if index < len(param.test_state) else caffe_pb2.NetState()
        found.append((net, [_state(_TEST, net, own, stages)]))
    if all(net.net is not None and not net.damaged for net, _ in found):
        _check_plan(report, solver)
    return found


def _named_net(report: Report, solver: SolverDef, *path: str | int) -> _Text:
    value = getattr(solver.param, str(path[0]))
    value = value[path[1]] if len(path) > 1 else value
    if not isinstance(value, str):
        return _Text(inline_net(solver, *path), frozenset())
    file = resolve(value, solver.place.file)
    if file not in report.nets:
        report.nets.append(file)
    try:
        return _parse_net(report, read_text(file), file)
    except PrototxtError as error:
        error.message = f"'{value}': {error.message}"
        error.where = solver.place.at(*path)
        report.problems.append(Problem.from_error(error))
        return _Text(None, frozenset())


def _check_plan(report: Report, solver: SolverDef) -> None:
    """Report what does not fit together in the solver's fields about its nets."""
    try:
        plan_nets(solver)
    except CaffeError as error:
        report.problems.append(Problem.from_error(error))


def _state(phase: int, found: _Text, own: caffe_pb2.NetState,
           stages: Sequence[str]) -> caffe_pb2.NetState:
    state = caffe_pb2.NetState()
    if found.net is not None:
        state.MergeFrom(found.net.param.state)
    state.MergeFrom(own)
    return make_state(own.phase if own.HasField("phase") else phase, 0, stages, state)
